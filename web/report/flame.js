// The flame graph: outermost frames on top, drawn on a canvas. Only what is wide enough to be seen is laid out.
const ROW = 20;
const LEAST_WIDTH = 0.6; // pixels; what is narrower is drawn together, as the rest
const HATCH = 7; // pixels between two lines
const REST = -1;

// Two trees of the same shape for the graph: each has a root, and its nodes' function, weight, parent and children.
// `kids(node, least)` gives children of at least that weight; `rest` of them is what the others weigh together.
// `sum(node, what)` is the node's total of one of the model's further columns (m.selfOf, m.totalOf).
const callTree = (m) => ({
  root: 0,
  fn: (g) => m.tree.fn[g],
  weight: (g) => m.treeTotal[g],
  sum: (g, what) => m.totalOf[what][g],
  parent: (g) => m.tree.parent[g],
  kids: (g, least) => {
    const { starts, children } = m.tree;
    const found = [];
    let rest = 0;
    for (let i = starts[g]; i < starts[g + 1]; i++) {
      const weight = m.treeTotal[children[i]];
      if (weight >= least && weight > 0) found.push(children[i]);
      else rest += weight;
    }
    return { found, rest };
  },
});

// From the innermost functions to their callers. A node's lists have the callers' frames that it stands for (0: the
// stack begins below) and the leaf that each came from; it is grouped when its children are asked for.
const callerTree = (m) => {
  const { parent, fn } = m.tree;
  const weigh = new Float64Array(m.functions);
  const leaves = [];
  for (let g = 1; g < m.tree.count; g++) if (m.treeSelf[g] > 0) leaves.push(g);
  const root = { fn: 0xffffffff, weight: m.hits, parent: null, frames: leaves, leaves };
  root.parent = root;
  return {
    root,
    fn: (node) => node.fn,
    weight: (node) => node.weight,
    sum: (node, what) => {
      if (node[what] === undefined) node[what] = node.leaves.reduce((sum, leaf) => sum + m.selfOf[what][leaf], 0);
      return node[what];
    },
    parent: (node) => node.parent,
    kids: (node, least) => {
      if (node.kids !== undefined && node.least <= least) {
        const found = node.kids.filter((kid) => kid.weight >= least);
        return { found, rest: node.below - found.reduce((sum, kid) => sum + kid.weight, 0) };
      }
      const { frames } = node;
      let below = 0;
      for (let i = 0; i < frames.length; i++) {
        if (frames[i] === 0) continue;
        weigh[fn[frames[i]]] += m.treeSelf[node.leaves[i]];
        below += m.treeSelf[node.leaves[i]];
      }
      const groups = new Map();
      for (let i = 0; i < frames.length; i++) {
        if (frames[i] === 0 || weigh[fn[frames[i]]] < least) continue;
        const f = fn[frames[i]];
        let kid = groups.get(f);
        if (kid === undefined) groups.set(f, (kid = { fn: f, weight: weigh[f], parent: node, frames: [], leaves: [] }));
        kid.frames.push(parent[frames[i]]);
        kid.leaves.push(node.leaves[i]);
      }
      for (let i = 0; i < frames.length; i++) if (frames[i] !== 0) weigh[fn[frames[i]]] = 0;
      // What was made before stays the same object, so that zoom and focus hold.
      for (const kid of node.kids || []) if (groups.has(kid.fn)) groups.set(kid.fn, kid);
      node.kids = [...groups.values()];
      node.least = least;
      node.below = below;
      return { found: node.kids, rest: below - node.kids.reduce((sum, kid) => sum + kid.weight, 0) };
    },
  };
};

// `look` says how a frame looks: look.fill(colours, tree, node) gives {back, text, hatched}, look.label(tree, node) its
// text, look.describe(tree, node, depth) what the page tells of it.
const createFlame = (m, look, onFocus, onZoom) => {
  const canvas = byId('flame-canvas');
  const holder = byId('frames');
  const spacer = byId('frames-height');
  const context = canvas.getContext('2d');
  const flame = { inverted: false, order: 'heavy', focus: null, zoom: 0, colours: null };
  let tree = callTree(m);
  let rows = []; // boxes by row, from left to right
  let width = 0;
  let scale = 1;
  let hover = null;

  const nameOf = (node) => (node === tree.root ? 'all' : m.functionName(tree.fn(node)));
  const chain = (node) => {
    const path = [node];
    while (path[path.length - 1] !== tree.root) path.push(tree.parent(path[path.length - 1]));
    return path.reverse();
  };

  const ordered = (kids) =>
    flame.order === 'heavy'
      ? kids.sort((a, b) => tree.weight(b) - tree.weight(a) || tree.fn(a) - tree.fn(b))
      : kids.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : tree.fn(a) - tree.fn(b)));

  const layout = () => {
    rows = [];
    const put = (row, box) => (rows[row] || (rows[row] = [])).push(box);
    const path = chain(flame.zoom);
    path.forEach((node, row) => put(row, { node, x: 0, w: width, row }));
    const whole = tree.weight(flame.zoom);
    if (whole <= 0) return;
    const unit = width / whole;
    // Deep recursion is a target's right: a stack of our own.
    const todo = [{ node: flame.zoom, x: 0, row: path.length - 1 }];
    while (todo.length > 0) {
      const { node, x, row } = todo.pop();
      const { found, rest } = tree.kids(node, LEAST_WIDTH / unit);
      let at = x;
      const boxes = [];
      for (const kid of ordered(found)) {
        const w = tree.weight(kid) * unit;
        boxes.push({ node: kid, x: at, w, row: row + 1 });
        at += w;
      }
      for (const box of boxes) put(row + 1, box);
      if (rest * unit >= LEAST_WIDTH) put(row + 1, { node: REST, x: at, w: rest * unit, row: row + 1, weight: rest });
      for (let i = boxes.length; i-- > 0; ) todo.push(boxes[i]);
    }
    for (const row of rows) row.sort((a, b) => a.x - b.x);
  };

  const widths = new Map();
  const measure = (text) => {
    let w = widths.get(text);
    if (w === undefined) {
      if (widths.size > 20000) widths.clear();
      widths.set(text, (w = context.measureText(text).width));
    }
    return w;
  };
  const fit = (text, room) => {
    if (measure(text) <= room) return text;
    let [low, high] = [0, text.length];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (context.measureText(`${text.slice(0, middle)}\u2026`).width <= room) low = middle;
      else high = middle - 1;
    }
    return low < 2 ? '' : `${text.slice(0, low)}\u2026`;
  };

  // Thin slanted lines, so that it can be told without colour.
  const hatch = (ink, x, y, w) => {
    context.save();
    context.beginPath();
    context.rect(x, y, w, ROW - 1);
    context.clip();
    context.beginPath();
    for (let at = Math.floor(x / HATCH) * HATCH - ROW; at < Math.min(x + w, width); at += HATCH) {
      context.moveTo(at, y + ROW);
      context.lineTo(at + ROW, y);
    }
    context.globalAlpha *= 0.28;
    context.strokeStyle = ink;
    context.lineWidth = 1;
    context.stroke();
    context.restore();
  };

  flame.draw = () => {
    const c = flame.colours;
    const height = canvas.clientHeight;
    const top = holder.scrollTop;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = c.font;
    context.textBaseline = 'middle';
    const last = Math.min(rows.length, Math.ceil((top + height) / ROW));
    for (let row = Math.max(0, Math.floor(top / ROW)); row < last; row++) {
      const y = row * ROW - top;
      for (const box of rows[row] || []) {
        const w = Math.max(box.w - 1, 0.5);
        if (box.node === REST) {
          context.globalAlpha = 1;
          context.fillStyle = c.rest;
          context.fillRect(box.x, y, w, ROW - 1);
          continue;
        }
        const root = box.node === tree.root;
        const matched = m.matches === null || root || m.matches[tree.fn(box.node)] === 1;
        const above = box.row < chainLength - 1;
        const fill = root ? c.root : look.fill(c, tree, box.node);
        context.globalAlpha = matched ? (above ? 0.6 : 1) : 0.22;
        context.fillStyle = fill.back;
        context.fillRect(box.x, y, w, ROW - 1);
        if (fill.hatched) hatch(fill.text, box.x, y, w);
        if (c.outlines && w > 3) {
          context.strokeStyle = c.ink;
          context.lineWidth = 1;
          context.strokeRect(box.x + 0.5, y + 0.5, w - 1, ROW - 2);
        }
        context.globalAlpha = matched ? 1 : 0.6;
        if (m.matches !== null && matched && !root) {
          context.fillStyle = c.mark;
          context.fillRect(box.x, y + ROW - 4, w, 3);
        }
        if (w > 24) {
          const text = fit(root ? nameOf(box.node) : look.label(tree, box.node), w - 10);
          context.fillStyle = matched ? fill.text : c.ink;
          if (text !== '') context.fillText(text, box.x + 5, y + ROW / 2);
        }
      }
    }
    context.globalAlpha = 1;
    for (const [box, thick] of [[find(flame.focus), 2], [hover, 1]]) {
      if (box === undefined || box === null) continue;
      context.strokeStyle = thick === 2 ? c.focus : c.ink;
      context.lineWidth = thick;
      context.strokeRect(box.x + 1, box.row * ROW - top + 1, Math.max(box.w - 3, 1), ROW - 3);
    }
  };
  let chainLength = 1;

  const find = (node) => {
    if (node === null) return undefined;
    for (const row of rows) {
      const box = row && row.find((b) => b.node === node);
      if (box) return box;
    }
    return undefined;
  };

  // Lays out anew: after a filter, a zoom, another width.
  flame.update = () => {
    width = holder.clientWidth;
    if (width === 0) return;
    chainLength = chain(flame.zoom).length;
    layout();
    const all = rows.length * ROW;
    // High enough for what can be read; slivers that go deeper are there to be scrolled to.
    const readable = ROW * (1 + rows.findLastIndex((row) => row.some((box) => box.w >= width * 0.02)));
    const most = flame.printing ? readable : Math.max(300, Math.floor(window.innerHeight * 0.48));
    const height = Math.max(ROW * 4, Math.min(all, most, readable + 2 * ROW));
    holder.style.height = `${height}px`;
    spacer.style.height = `${Math.max(0, all - height)}px`;
    canvas.style.height = `${height}px`;
    scale = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    hover = null;
    flame.draw();
  };

  flame.reset = () => {
    tree = flame.inverted ? callerTree(m) : callTree(m);
    if (flame.inverted || typeof flame.zoom === 'object' || tree.weight(flame.zoom) === 0) flame.zoom = tree.root;
    flame.focus = null;
    widths.clear();
    flame.update();
    onZoom();
    onFocus(null);
  };
  flame.crumbs = () => chain(flame.zoom).map((node) => ({ node, name: nameOf(node) }));
  flame.describe = (node) => {
    if (node === null || node === REST) return null;
    return node === tree.root ? { root: true, weight: tree.weight(node) } : look.describe(tree, node, chain(node).length - 1);
  };
  flame.zoomTo = (node) => {
    if (node === REST || node === null) return;
    flame.zoom = node;
    flame.focus = node;
    flame.update();
    scrollTo(find(node));
    onZoom();
    onFocus(node);
  };
  const scrollTo = (box) => {
    if (box === undefined) return;
    const y = box.row * ROW;
    if (y < holder.scrollTop) holder.scrollTop = y;
    else if (y + ROW > holder.scrollTop + holder.clientHeight) holder.scrollTop = y + ROW - holder.clientHeight;
  };
  const setFocus = (box) => {
    if (box === undefined || box.node === REST) return;
    flame.focus = box.node;
    scrollTo(box);
    flame.draw();
    onFocus(box.node);
  };

  const at = (event) => {
    const place = canvas.getBoundingClientRect();
    const x = event.clientX - place.left;
    const row = rows[Math.floor((event.clientY - place.top + holder.scrollTop) / ROW)] || [];
    return row.find((box) => x >= box.x && x < box.x + box.w) || null;
  };
  canvas.addEventListener('pointermove', (event) => {
    const box = at(event);
    if (box === hover) return;
    hover = box;
    canvas.style.cursor = box !== null && box.node !== REST ? 'pointer' : 'default';
    flame.draw();
    onFocus(box !== null && box.node !== REST ? box.node : flame.focus, true);
  });
  canvas.addEventListener('pointerleave', () => {
    hover = null;
    flame.draw();
    onFocus(flame.focus, true);
  });
  canvas.addEventListener('click', (event) => {
    const box = at(event);
    if (box !== null) flame.zoomTo(box.node);
  });
  canvas.addEventListener('focus', () => {
    if (flame.focus === null && rows.length > 0) setFocus(rows[Math.min(chainLength - 1, rows.length - 1)][0]);
  });
  holder.addEventListener('scroll', () => flame.draw());
  canvas.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const box = find(flame.focus) || rows[0][0];
    const row = rows[box.row];
    const beside = row.indexOf(box);
    const below = (rows[box.row + 1] || []).filter((b) => b.node !== REST && b.x >= box.x - 0.01 && b.x < box.x + box.w);
    const keys = {
      ArrowDown: () => setFocus(below.reduce((best, b) => (best === undefined || b.w > best.w ? b : best), undefined)),
      ArrowUp: () => box.row > 0 && setFocus(rows[box.row - 1].find((b) => b.x <= box.x + 0.01 && box.x < b.x + b.w)),
      ArrowLeft: () => setFocus(row[beside - 1]),
      ArrowRight: () => setFocus(row[beside + 1]),
      Home: () => setFocus(rows[0][0]),
      Enter: () => flame.zoomTo(box.node),
    };
    if (keys[event.key] === undefined) return;
    event.preventDefault();
    keys[event.key]();
  });
  // One step out; false where there was none.
  flame.back = () => {
    if (flame.zoom === tree.root) return false;
    const from = flame.zoom;
    flame.zoomTo(tree.parent(from));
    setFocus(find(from));
    return true;
  };
  return flame;
};
