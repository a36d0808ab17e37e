// What ran when: a lane a thread. Dragging over it chooses a time range; all else on the page follows.
const LANE = 24;
const AXIS = 20;
const BAND = 14;
const LANES_MOST = 100;
const NAMED_COLOURS = 7;
const COLUMN = 3; // pixels

const createTimeLine = (m, onRange, onThread) => {
  const { d, facts } = m;
  const canvas = byId('time-canvas');
  const names = byId('lane-names');
  const context = canvas.getContext('2d');
  const buckets = facts.time_line.buckets;
  const bucketNs = facts.time_line.bucket_ns;
  const startNs = facts.time_line.first_bucket * bucketNs - facts.first_ns; // of the first bucket, after the first tick
  const line = { colours: null };
  line.seconds = (bucket) => Math.min(facts.wall_ns, Math.max(0, startNs + bucket * bucketNs)) / 1e9;
  // As many digits as tell two buckets apart.
  const digits = Math.min(6, Math.max(0, Math.ceil(1 - Math.log10(bucketNs / 1e9))));
  line.secondsText = (bucket) => line.seconds(bucket).toFixed(digits);
  // The edge nearest to a time. The run begins within the first bucket and ends within the last: they are wholly meant.
  line.edgeAt = (seconds) => {
    if (seconds <= 0) return 0;
    if (seconds >= Number(line.secondsText(buckets))) return buckets;
    return Math.round(line.bucketAt(seconds));
  };
  line.bucketAt = (seconds) => (seconds * 1e9 - startNs) / bucketNs;

  const shown = facts.threads
    .map((t, id) => ({ ...t, id }))
    .filter((t) => t.samples > 0)
    .sort((a, b) => b.samples - a.samples)
    .slice(0, LANES_MOST)
    .sort((a, b) => a.process - b.process || a.id - b.id);
  const left = facts.threads.filter((t) => t.samples > 0).length - shown.length;
  const laneOf = new Int32Array(facts.threads.length).fill(-1);
  shown.forEach((t, lane) => (laneOf[t.id] = lane));
  const cells = shown.length * buckets;
  const sum = { ticks: new Float32Array(cells), cpu: new Float32Array(cells), gil: new Float32Array(cells),
    waits: new Float32Array(cells), gc: new Float32Array(cells) };
  // The functions with most self time have colours of their own; the last colour is that of all others.
  const rank = new Uint8Array(m.functions).fill(NAMED_COLOURS);
  const heaviest = [];
  for (let f = 0; f < m.functions; f++) {
    if (m.wholeSelf[f] === 0) continue;
    let i = heaviest.length;
    while (i > 0 && m.wholeSelf[heaviest[i - 1]] < m.wholeSelf[f]) i--;
    if (i < NAMED_COLOURS) heaviest.splice(i, 0, f);
    heaviest.length = Math.min(heaviest.length, NAMED_COLOURS);
  }
  heaviest.forEach((f, i) => (rank[f] = i));
  const COLOURS = NAMED_COLOURS + 1;
  const parts = new Float32Array(cells * COLOURS);
  let waitsKnown = false;
  for (let i = 0; i < d.bucket.length; i++) {
    if (laneOf[d.thread[i]] < 0) continue;
    const at = laneOf[d.thread[i]] * buckets + d.bucket[i];
    const ticks = d.ticks[i];
    sum.ticks[at] += ticks;
    if (d.state[i] & ON_CPU) sum.cpu[at] += ticks;
    if (d.state[i] & HAS_GIL) sum.gil[at] += ticks;
    if (d.state[i] & WAITS_FOR_GIL) {
      sum.waits[at] += ticks;
      waitsKnown = true;
    }
    if (d.state[i] & IN_GC) sum.gc[at] += ticks;
    const g = m.tree.of[d.node[i]];
    parts[at * COLOURS + (g === 0 ? NAMED_COLOURS : rank[m.tree.fn[g]])] += ticks;
  }

  const legend = byId('legend');
  const swatch = (kind, text) => {
    const item = element('li');
    item.append(element('span', '', { class: `swatch ${kind}`, 'aria-hidden': 'true' }), element('span', text));
    legend.append(item);
  };
  heaviest.forEach((f, i) => swatch(`named-${i}`, clean(m.functionName(f), 40)));
  if (m.wholeSelf.reduce((count, hits) => count + (hits > 0 ? 1 : 0), 0) > heaviest.length) swatch('named-other', 'other functions');
  swatch('waiting', 'pale: off CPU');
  swatch('gil', 'holds the GIL');
  if (waitsKnown) swatch('waits', 'waits for the GIL');
  swatch('gc', 'garbage collection');
  if (left > 0) swatch('none', `${countText(left, 'thread', 'threads')} with fewer samples not drawn`);

  const buttons = shown.map((t) => {
    const process = facts.processes[t.process];
    const b = element('button', clean(t.name || `thread ${t.tid}`, 60), { type: 'button', 'aria-pressed': 'false' });
    b.title = `Show only this thread: ${clean(t.name, 100)}, id ${t.tid}, process ${process ? process.pid : '?'}`;
    if (shown.some((other) => other.process !== t.process)) b.append(element('small', ` ${process ? process.pid : ''}`));
    b.addEventListener('click', () => onThread(m.view.thread === t.id ? -1 : t.id));
    names.append(b);
    return b;
  });

  let width = 0;
  const x = (bucket) => (bucket / buckets) * width;
  const step = (most) => {
    const power = 10 ** Math.floor(Math.log10(most));
    return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= most) || most;
  };
  const drawAxis = (c, height) => {
    context.fillStyle = c.muted;
    context.strokeStyle = c.line;
    context.lineWidth = 1;
    context.font = c.small;
    context.textBaseline = 'middle';
    const end = line.seconds(buckets);
    if (!(end > 0) || width <= 0) return;
    const every = step((end * 80) / width);
    for (let i = 0; i * every <= end; i++) {
      const px = Math.round(x(line.bucketAt(i * every))) + 0.5;
      context.beginPath();
      context.moveTo(px, AXIS - 4);
      context.lineTo(px, height);
      context.stroke();
      const text = `${Number((i * every).toPrecision(6))} s`;
      if (px + 3 + context.measureText(text).width < width) context.fillText(text, px + 3, AXIS / 2);
    }
  };
  const drawLane = (c, lane, y) => {
    const first = lane * buckets;
    const faded = (m.view.thread >= 0 && m.view.thread !== shown[lane].id) ||
      (m.view.process >= 0 && m.view.process !== shown[lane].process);
    const columns = Math.max(1, Math.min(buckets, Math.floor(width / COLUMN)));
    const part = new Float32Array(COLOURS);
    for (let i = 0; i < columns; i++) {
      const from = Math.floor((i * buckets) / columns);
      const to = Math.max(from + 1, Math.floor(((i + 1) * buckets) / columns));
      let [ticks, cpu, gil, waits, gc] = [0, 0, 0, 0, 0];
      part.fill(0);
      for (let b = first + from; b < first + to; b++) {
        if (sum.ticks[b] === 0) continue;
        ticks += sum.ticks[b];
        cpu += sum.cpu[b];
        gil += sum.gil[b];
        waits += sum.waits[b];
        gc += sum.gc[b];
        for (let k = 0; k < COLOURS; k++) part[k] += parts[b * COLOURS + k];
      }
      if (ticks === 0) continue;
      const px = Math.round(x(from));
      const w = Math.max(Math.round(x(to)) - px, 1);
      const strong = faded ? 0.3 : 1;
      context.globalAlpha = strong * (0.22 + (0.78 * cpu) / ticks);
      let bottom = y + BAND;
      for (let k = 0; k < COLOURS; k++) {
        const h = (BAND * part[k]) / ticks;
        context.fillStyle = c.named[k];
        context.fillRect(px, bottom - h, w, h);
        bottom -= h;
      }
      if (gc > 0) {
        context.globalAlpha = strong;
        context.fillStyle = c.gc;
        context.fillRect(px, y - 2, w, 2);
      }
      context.fillStyle = c.gil;
      context.globalAlpha = (strong * gil) / ticks;
      context.fillRect(px, y + BAND + 1, w, 2);
      if (waits > 0) {
        context.globalAlpha = (strong * waits) / ticks;
        context.fillStyle = c.waits;
        context.fillRect(px, y + BAND + 1, w, 2);
      }
    }
    context.globalAlpha = 1;
  };
  line.draw = () => {
    const c = line.colours;
    const height = AXIS + shown.length * LANE;
    width = canvas.clientWidth;
    const scale = window.devicePixelRatio || 1;
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    drawAxis(c, height);
    shown.forEach((t, lane) => drawLane(c, lane, AXIS + lane * LANE + 4));
    const { from, to } = drag || m.view;
    if (from > 0 || to < buckets) {
      context.fillStyle = c.veil;
      context.fillRect(0, AXIS, x(from), height);
      context.fillRect(x(to), AXIS, width, height);
      context.fillStyle = c.focus;
      context.fillRect(x(from) - 1, 0, 2, height);
      context.fillRect(x(to) - 1, 0, 2, height);
    }
  };
  line.update = () => {
    buttons.forEach((b, lane) => b.setAttribute('aria-pressed', String(m.view.thread === shown[lane].id)));
    canvas.setAttribute('aria-label', `Time line of ${countText(shown.length, 'thread', 'threads')} over ` +
      `${timeText(facts.wall_ns)}; shown: ${line.secondsText(m.view.from)} to ${line.secondsText(m.view.to)} s. ` +
      'The fields from and to choose a range.');
    line.draw();
  };

  let drag = null;
  let start = 0;
  const bucketAt = (event) => {
    const place = canvas.getBoundingClientRect();
    return Math.min(buckets, Math.max(0, ((event.clientX - place.left) / place.width) * buckets));
  };
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    start = bucketAt(event);
    drag = { from: 0, to: buckets };
  });
  canvas.addEventListener('pointermove', (event) => {
    if (drag === null) return;
    const now = bucketAt(event);
    drag = { from: Math.floor(Math.min(start, now)), to: Math.ceil(Math.max(start, now)) };
    line.draw();
  });
  canvas.addEventListener('pointerup', (event) => {
    if (drag === null) return;
    const moved = Math.abs(bucketAt(event) - start) * (width / buckets);
    const range = drag;
    drag = null;
    // A click is no range: it shows the whole run again.
    if (moved < 3) onRange(0, buckets);
    else onRange(range.from, range.to);
  });
  canvas.addEventListener('pointercancel', () => {
    drag = null;
    line.draw();
  });
  return line;
};
