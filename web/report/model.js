// The call tree, and the hits of the view: its mode, process, thread and time range.
const ON_CPU = 2;
const HAS_GIL = 4;
const WAITS_FOR_GIL = 8;
const IN_GC = 16;
const MODE_FLAGS = { wall: 0, cpu: ON_CPU, gil: HAS_GIL };

// Which nodes are the first of their key on the path from the root: those whose totals count.
const firstOnPath = (keys, keyCount, starts, children) => {
  const first = new Uint8Array(keys.length);
  const depth = new Uint32Array(keyCount);
  const next = starts.slice(0, keys.length);
  const path = [0];
  while (path.length > 0) {
    const at = path[path.length - 1];
    if (next[at] < starts[at + 1]) {
      const child = children[next[at]++];
      first[child] = depth[keys[child]]++ === 0 ? 1 : 0;
      path.push(child);
    } else {
      path.pop();
      if (at !== 0) depth[keys[at]]--;
    }
  }
  return first;
};
// Children of each node, one after the other: those of i are children[starts[i]] to children[starts[i + 1] - 1].
const childLists = (parent, count) => {
  const starts = new Uint32Array(count + 1);
  for (let i = 1; i < count; i++) starts[parent[i] + 1]++;
  for (let i = 0; i < count; i++) starts[i + 1] += starts[i];
  const fill = starts.slice();
  const children = new Uint32Array(Math.max(0, count - 1));
  for (let i = 1; i < count; i++) children[fill[parent[i]]++] = i;
  return { starts, children };
};

// The recording's nodes are lines; the graph's are functions: calls of one function from several lines of another are one.
const mergeLines = (d) => {
  const nodes = d.parent.length;
  let bits = 4;
  while (1 << bits < 2 * nodes) bits++;
  const table = new Int32Array(1 << bits).fill(-1);
  const of = new Uint32Array(nodes);
  const parent = new Uint32Array(nodes);
  const fn = new Uint32Array(nodes);
  let count = 1;
  fn[0] = 0xffffffff;
  for (let i = 1; i < nodes; i++) {
    const above = of[d.parent[i]];
    const f = d.lineFunction[d.line[i]];
    let slot = Math.imul(Math.imul(above, 0x9e3779b1) ^ Math.imul(f + 1, 0x85ebca6b), 0xc2b2ae35) >>> (32 - bits);
    while (table[slot] >= 0 && (parent[table[slot]] !== above || fn[table[slot]] !== f)) slot = (slot + 1) & ((1 << bits) - 1);
    if (table[slot] < 0) {
      parent[count] = above;
      fn[count] = f;
      table[slot] = count++;
    }
    of[i] = table[slot];
  }
  return { of, count, parent: parent.slice(0, count), fn: fn.slice(0, count) };
};

// ---- search: by function, whether its name or file has the words; null where there are no words ----
const matchesOf = (words, functions, texts) => {
  const wanted = words.trim().toLowerCase();
  if (wanted === '') return null;
  return Uint8Array.from({ length: functions }, (_, f) => (texts(f).some((text) => text.toLowerCase().includes(wanted)) ? 1 : 0));
};
// What the stacks weigh in which a match is anywhere.
const weightOfMatches = (m) => {
  const inside = new Uint8Array(m.tree.count);
  let weight = 0;
  for (let g = 1; g < m.tree.count; g++) {
    inside[g] = inside[m.tree.parent[g]] | m.matches[m.tree.fn[g]];
    if (inside[g]) weight += m.treeSelf[g];
  }
  return weight;
};

const createModel = (d) => {
  const facts = d.facts;
  const functions = d.name.length;
  const nodes = d.parent.length;
  const tree = mergeLines(d);
  Object.assign(tree, childLists(tree.parent, tree.count));
  tree.first = firstOnPath(tree.fn, functions, tree.starts, tree.children);

  const m = {
    d, facts, tree, functions, string: d.string,
    view: { mode: facts.first_mode, process: -1, thread: -1, from: 0, to: facts.time_line.buckets },
    self: new Float64Array(nodes),
    treeSelf: new Float64Array(tree.count), treeTotal: new Float64Array(tree.count),
    selfOf: { cpu: new Float64Array(tree.count) }, totalOf: { cpu: new Float64Array(tree.count) },
    fnSelf: new Float64Array(functions), fnTotal: new Float64Array(functions),
    fnSelfCpu: new Float64Array(functions), fnTotalCpu: new Float64Array(functions),
    hits: 0,
  };
  m.functionName = (f) => clean(d.string(d.name[f]));
  m.functionFile = (f) => d.string(d.file[f]);
  m.functionPlace = (f) => {
    const path = m.functionFile(f);
    return path === '' ? '' : clean(`${lastParts(path, 2)}:${d.firstLine[f]}`);
  };
  m.time = (hits) => (facts.ticks > 0 ? (hits * facts.wall_ns) / facts.ticks : 0);
  m.processOf = (thread) => facts.threads[thread].process;

  // Slices are in order of time: where those of a bucket begin.
  const seek = (bucket) => {
    let low = 0;
    let high = d.bucket.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (d.bucket[middle] < bucket) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  // Calls back for each slice in the view.
  m.eachSlice = (call) => {
    const v = m.view;
    const flag = MODE_FLAGS[v.mode];
    const end = seek(v.to);
    const wanted = new Uint8Array(facts.threads.length);
    for (let i = 0; i < wanted.length; i++)
      wanted[i] = (v.thread < 0 || v.thread === i) && (v.process < 0 || v.process === m.processOf(i)) ? 1 : 0;
    for (let i = seek(v.from); i < end; i++)
      if ((d.state[i] & flag) === flag && wanted[d.thread[i]]) call(i);
  };

  m.count = () => {
    const [selfCpu, treeCpu] = [m.selfOf.cpu, m.totalOf.cpu];
    for (const a of [m.self, m.treeSelf, m.treeTotal, selfCpu, treeCpu, m.fnSelf, m.fnTotal, m.fnSelfCpu, m.fnTotalCpu]) a.fill(0);
    m.hits = 0;
    const present = new Uint8Array(facts.threads.length);
    m.eachSlice((i) => {
      const ticks = d.ticks[i];
      m.self[d.node[i]] += ticks;
      m.hits += ticks;
      if (d.state[i] & ON_CPU) selfCpu[tree.of[d.node[i]]] += ticks;
      present[d.thread[i]] = 1;
    });
    m.threadsSeen = present.reduce((sum, is) => sum + is, 0);
    for (let i = 1; i < nodes; i++) m.treeSelf[tree.of[i]] += m.self[i];
    for (let g = tree.count - 1; g > 0; g--) {
      m.treeTotal[g] += m.treeSelf[g];
      treeCpu[g] += selfCpu[g];
      m.treeTotal[tree.parent[g]] += m.treeTotal[g];
      treeCpu[tree.parent[g]] += treeCpu[g];
      const f = tree.fn[g];
      m.fnSelf[f] += m.treeSelf[g];
      m.fnSelfCpu[f] += selfCpu[g];
      if (tree.first[g]) {
        m.fnTotal[f] += m.treeTotal[g];
        m.fnTotalCpu[f] += treeCpu[g];
      }
    }
    const v = m.view;
    m.isWhole = v.mode === 'wall' && v.process < 0 && v.thread < 0 && v.from === 0 && v.to === facts.time_line.buckets;
    m.lines = null;
    // One thread sample a tick at most: the sums follow from the counts.
    m.isSingle = facts.max_threads <= 1 || v.thread >= 0 || facts.threads.filter((t) => t.samples > 0).length <= 1;
  };

  // Hits by place, which is a file and a line: several functions may have code on one. Made when the source is looked at.
  let places;
  m.linePlaces = () => {
    if (places === undefined) {
      const index = new Map();
      places = { of: new Uint32Array(d.lineNumber.length), file: [], number: [], line: [] };
      for (let i = 0; i < d.lineNumber.length; i++) {
        const key = d.file[d.lineFunction[i]] * 4294967296 + d.lineNumber[i];
        let place = index.get(key);
        if (place === undefined) {
          place = places.file.length;
          index.set(key, place);
          places.file.push(d.file[d.lineFunction[i]]);
          places.number.push(d.lineNumber[i]);
          places.line.push(i); // whose sums stand for the place's spread
        }
        places.of[i] = place;
      }
      const keys = new Uint32Array(nodes);
      for (let i = 1; i < nodes; i++) keys[i] = places.of[d.line[i]];
      const { starts, children } = childLists(d.parent, nodes);
      places.keys = keys;
      places.first = firstOnPath(keys, places.file.length, starts, children);
    }
    if (m.lines === null) {
      const total = m.self.slice();
      m.lines = { self: new Float64Array(places.file.length), total: new Float64Array(places.file.length) };
      for (let i = nodes - 1; i > 0; i--) {
        total[d.parent[i]] += total[i];
        m.lines.self[places.keys[i]] += m.self[i];
        if (places.first[i]) m.lines.total[places.keys[i]] += total[i];
      }
    }
    return { places, ...m.lines };
  };

  // ---- intervals ----
  // y hits of something whose sums over the whole run are those of `of` hits: yy - y and yn - y.
  const share = (y, of, yyMore, ynMore) => {
    if (m.isSingle) return interval(y, y, y, m.hits, m.hits, facts.ticks);
    if (of === 0) return limits(y, m.hits, designEffect(0, 0, 0, facts.hits, facts.hits_squared, facts.ticks));
    const [yy, yn] = [of + yyMore, of + ynMore];
    if (m.isWhole) return interval(y, (yy * y) / of, (yn * y) / of, m.hits, facts.hits_squared, facts.ticks);
    return limits(y, m.hits, designEffect(of, yy, yn, facts.hits, facts.hits_squared, facts.ticks));
  };
  m.selfShare = (f) => share(m.fnSelf[f], m.wholeSelf[f], d.functionSums[4 * f], d.functionSums[4 * f + 1]);
  m.totalShare = (f) => share(m.fnTotal[f], m.wholeTotal[f], d.functionSums[4 * f + 2], d.functionSums[4 * f + 3]);
  // A frame of the graph has the spread of its function.
  m.frameShare = (f, y) => share(y, m.wholeTotal[f], d.functionSums[4 * f + 2], d.functionSums[4 * f + 3]);
  m.placeShare = (place, y, kind) => {
    const line = places.line[place];
    const at = 4 * line + (kind === 'self' ? 0 : 2);
    return share(y, m.wholeLines[kind][place], d.lineSums[at], d.lineSums[at + 1]);
  };
  m.wholeOfLines = () => {
    if (m.wholeLines !== undefined) return;
    const view = m.view;
    const restore = m.isWhole;
    if (!restore) {
      m.view = { mode: 'wall', process: -1, thread: -1, from: 0, to: facts.time_line.buckets };
      m.count();
    }
    const { self, total } = m.linePlaces();
    m.wholeLines = { self, total };
    if (!restore) {
      m.view = view;
      m.count();
    }
  };

  const first = m.view.mode;
  m.view.mode = 'wall';
  m.count();
  m.wholeSelf = m.fnSelf.slice();
  m.wholeTotal = m.fnTotal.slice();
  if (first !== 'wall') {
    m.view.mode = first;
    m.count();
  }

  m.matches = null;
  m.search = (words) => (m.matches = matchesOf(words, functions, (f) => [d.string(d.name[f]), m.functionFile(f)]));
  // Hits of stacks in which a match is anywhere, and how many functions match.
  m.found = () => ({
    hits: weightOfMatches(m),
    functions: m.matches.reduce((sum, is, f) => sum + (is && m.fnTotal[f] > 0 ? 1 : 0), 0),
  });
  return m;
};

// How a frame of the report's graph looks: as hot as its function's self time.
const createReportLook = (m) => ({
  fill: (c, tree, node) => c.heat(m.hits > 0 ? Math.sqrt(m.fnSelf[tree.fn(node)] / m.hits) : 0),
  label: (tree, node) => m.functionName(tree.fn(node)),
  describe: (tree, node, depth) => {
    const f = tree.fn(node);
    const weight = tree.weight(node);
    return { f, name: m.functionName(f), place: m.functionPlace(f), weight, share: m.frameShare(f, weight), cpu: tree.sum(node, 'cpu'),
      time: m.time(weight), self: m.selfShare(f), depth };
  },
});
