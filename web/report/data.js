// The data block into typed arrays. Its layout is in docs/html.md.
const unpack = async (text) => {
  const packed = Uint8Array.fromBase64 ? Uint8Array.fromBase64(text) : Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};

// Reads the block piece by piece, from its beginning.
const createReader = (bytes) => {
  let at = 0;
  const varint = () => {
    let byte = bytes[at++];
    if (byte < 128) return byte;
    let value = byte & 127;
    let scale = 128;
    do {
      byte = bytes[at++];
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte >= 128);
    return value;
  };
  const zigzag = () => {
    const value = varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  };
  const column = (Type, count, next) => {
    const values = new Type(count);
    for (let i = 0; i < count; i++) values[i] = next(i);
    return values;
  };
  const take = (size) => bytes.subarray(at, (at += size));
  const end = () => {
    if (at > bytes.length) throw new Error('the data block is cut short');
  };
  return { varint, zigzag, column, take, end };
};
const utf8 = new TextDecoder();
const takeFacts = (r) => JSON.parse(utf8.decode(r.take(r.varint())));
// Without the root, node 0: parents, and lines (of a comparison: of both sides).
const takeNodes = (r, count) => {
  const parent = r.column(Uint32Array, count, (i) => (i === 0 ? 0 : i - r.varint()));
  let last = 0;
  const line = r.column(Uint32Array, count, (i) => (i === 0 ? 0xffffffff : (last += r.zigzag())));
  return { parent, line };
};

const decode = (bytes) => {
  const r = createReader(bytes);
  const { varint, zigzag, column } = r;
  const facts = takeFacts(r);
  const n = facts.counts;

  const sizes = column(Uint32Array, n.strings, varint);
  const places = Array.from(sizes, (size) => r.take(size));
  const known = new Map();
  const string = (id) => {
    let text = known.get(id);
    if (text === undefined) known.set(id, (text = utf8.decode(places[id])));
    return text;
  };

  const d = { facts, string };
  d.name = column(Uint32Array, n.functions, varint);
  d.file = column(Uint32Array, n.functions, varint);
  d.firstLine = column(Uint32Array, n.functions, varint);
  d.kind = column(Uint8Array, n.functions, varint);
  d.functionSums = column(Float64Array, 4 * n.functions, varint); // self yy - y, yn - y; total the same
  d.lineFunction = column(Uint32Array, n.lines, varint);
  d.lineNumber = column(Uint32Array, n.lines, varint);
  d.lineSums = column(Float64Array, 4 * n.lines, varint);
  Object.assign(d, takeNodes(r, n.nodes));
  let last = 0;
  d.bucket = column(Uint16Array, n.slices, () => (last += varint()));
  d.thread = column(Uint32Array, n.slices, varint);
  last = 0;
  d.node = column(Uint32Array, n.slices, () => (last += zigzag()));
  d.state = column(Uint8Array, n.slices, varint);
  d.ticks = column(Float64Array, n.slices, varint);
  const paths = column(Uint32Array, n.sources, varint);
  // A text is in pieces, of which each knows its first line.
  d.sources = new Map();
  for (let i = 0; i < n.sources; i++) {
    const pieces = [];
    for (let left = varint(); left > 0; left--) {
      const first = varint();
      pieces.push({ first, bytes: r.take(varint()) });
    }
    const lines = (piece) => utf8.decode(piece.bytes).replace(/\n$/, '').split('\n').map((text) => text.replace(/\r$/, ''));
    if (pieces.length > 0)
      d.sources.set(paths[i], () => pieces.flatMap((piece) => lines(piece).map((text, k) => ({ number: piece.first + k, text }))));
  }
  r.end();
  return d;
};
