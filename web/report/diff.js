// The page of a comparison: one graph of both sides, coloured by change, and what changed by function and by line.
const DIFF_KEYS = [
  ['/', 'search'],
  ['Arrow keys', 'move between frames: down to the widest callee, up to the caller'],
  ['Enter', 'zoom into the frame'],
  ['Escape', 'zoom out one frame; then clear the search'],
  ['Home', 'the outermost frame'],
  ['f', 'flame graph'],
  ['t', 'table of functions'],
  ['l', 'table of lines'],
  ['w', 'width: both sides, a, b'],
  ['c', 'colour: by the change of total or of self time'],
  ['i', 'turn the graph around: callers of the innermost functions'],
  ['o', 'order: heaviest first, or by name'],
  ['0', 'all of it: no zoom, no search'],
  ['d', 'light or dark'],
  ['?', 'these keys'],
];
// Of a frame nothing is known of the spread between runs. It is coloured where its change is beyond what counting alone
// gives: so many standard deviations of a count.
const BEYOND_COUNTING = 2;

const decodeDiff = (bytes) => {
  const r = createReader(bytes);
  const facts = takeFacts(r);
  const n = facts.counts;
  const d = { facts, lineFunction: r.column(Uint32Array, n.lines, r.varint), ...takeNodes(r, n.nodes) };
  d.a = r.column(Float64Array, n.nodes, r.varint);
  d.b = r.column(Float64Array, n.nodes, r.varint);
  r.end();
  const isShare = facts.unit === 'share';
  // What is compared is in the same places whichever unit it has.
  const settle = (m) => Object.assign(m, isShare
    ? { a: m.share_a, b: m.share_b, change: m.share_b - m.share_a, low: m.share_low, high: m.share_high }
    : { a: m.a_ns, b: m.b_ns, change: m.change_ns, low: m.low_ns, high: m.high_ns });
  settle(facts.whole);
  for (const f of facts.functions) [f.self, f.total].forEach(settle);
  for (const line of facts.lines) settle(line.self);
  if (isShare) for (const column of [d.a, d.b]) for (let i = 0; i < n.nodes; i++) column[i] /= 1e9;
  return d;
};

const createDiffModel = (d) => {
  const { facts } = d;
  const tree = mergeLines(d);
  Object.assign(tree, childLists(tree.parent, tree.count));
  const columns = () => ({ a: new Float64Array(tree.count), b: new Float64Array(tree.count) });
  const m = { facts, tree, functions: facts.functions.length, selfOf: columns(), totalOf: columns(), width: 'both',
    treeSelf: new Float64Array(tree.count), treeTotal: new Float64Array(tree.count), hits: 0, matches: null };
  m.functionName = (f) => clean(facts.functions[f].function);
  m.place = (file, line) => (file === '' ? '' : clean(`${lastParts(file, 2)}:${line}`));
  m.functionPlace = (f) => m.place(facts.functions[f].file, facts.functions[f].first_line_b || facts.functions[f].first_line_a);
  for (const side of ['a', 'b']) {
    for (let i = 1; i < d.parent.length; i++) m.selfOf[side][tree.of[i]] += d[side][i];
    for (let g = tree.count - 1; g > 0; g--) {
      m.totalOf[side][g] += m.selfOf[side][g];
      m.totalOf[side][tree.parent[g]] += m.totalOf[side][g];
    }
  }
  // A frame's width: its time a run in a, in b, or the mean of both, so that neither what is gone nor what is new is hidden.
  m.weigh = (width) => {
    m.width = width;
    for (const [to, from] of [[m.treeSelf, m.selfOf], [m.treeTotal, m.totalOf]])
      for (let g = 0; g < tree.count; g++) to[g] = width === 'both' ? (from.a[g] + from.b[g]) / 2 : from[width][g];
    m.hits = m.treeTotal[0];
  };
  m.search = (words) => (m.matches = matchesOf(words, m.functions, (f) => [facts.functions[f].function, facts.functions[f].file]));
  m.noise = (a, b) => Math.sqrt(a * facts.hit_a + b * facts.hit_b);
  m.weigh('both');
  return m;
};

// A comparison is of times or, where only counts of samples are known, of shares.
const createAmounts = (facts) => {
  const isShare = facts.unit === 'share';
  const amounts = {};
  amounts.text = isShare ? shareText : timeText;
  amounts.signed = (amount) => `${amount < 0 ? '\u2212' : '+'}${amounts.text(Math.abs(amount))}`;
  // In the unit of the change, which stands beside it.
  amounts.range = (measure) => {
    const size = Math.abs(measure.change);
    const unit = isShare ? 0.01 : size < 999.5e3 ? 1e3 : size < 999.5e6 ? 1e6 : 1e9;
    const most = Math.max(Math.abs(measure.low), Math.abs(measure.high)) / unit;
    const digits = most < 9.995 ? 2 : most < 99.95 ? 1 : 0;
    const text = (amount) => `${amount < 0 ? '\u2212' : '+'}${Math.abs(amount / unit).toFixed(digits)}`;
    return `${text(measure.low)} to ${text(measure.high)}`;
  };
  amounts.change = (a, b) => [amounts.signed(b - a), a <= 0 && b <= 0 ? '' : a <= 0 ? 'only in b' : b <= 0 ? 'only in a'
    : `${(b / a).toFixed(b / a < 9.95 ? 2 : 0)} times`, `a ${amounts.text(a)}, b ${amounts.text(b)}`].filter((text) => text !== '');
  return amounts;
};
const signOf = (measure) => (measure.changed ? (measure.change > 0 ? '\u25b2' : '\u25bc') : '');
const sureText = (measure) => (!measure.changed ? 'no sure change' : measure.change > 0 ? 'surely grew' : 'surely shrank');

const createDiffLook = (m) => {
  const look = { by: 'total' };
  // Of one frame: its own time or that of what it calls too.
  const sides = (tree, node) => {
    const self = look.by === 'self' && typeof node === 'number'; // a tree of callers has only leaves' own time
    return self ? [m.selfOf.a[node], m.selfOf.b[node]] : [tree.sum(node, 'a'), tree.sum(node, 'b')];
  };
  const measureOf = (tree, node) => m.facts.functions[tree.fn(node)][look.by];
  look.fill = (c, tree, node) => {
    const [a, b] = sides(tree, node);
    const change = b - a;
    if (Math.abs(change) <= BEYOND_COUNTING * m.noise(a, b)) return c.grew(0);
    const part = Math.sqrt(Math.abs(change) / Math.max(a, b));
    return change > 0 ? c.grew(part) : { ...c.shrank(part), hatched: true };
  };
  look.label = (tree, node) => {
    const [a, b] = sides(tree, node);
    const beyond = Math.abs(b - a) > BEYOND_COUNTING * m.noise(a, b);
    const of = measureOf(tree, node);
    // What is sure is of the function, wherever it runs; a frame of it may have gone the other way.
    const sure = of.changed && of.change > 0 === b > a;
    const sign = !beyond ? '' : b > a ? (sure ? '\u25b2 ' : '+ ') : sure ? '\u25bc ' : '\u2212 ';
    return sign + m.functionName(tree.fn(node));
  };
  look.describe = (tree, node, depth) => {
    const f = tree.fn(node);
    return { f, name: m.functionName(f), place: m.functionPlace(f), a: tree.sum(node, 'a'), b: tree.sum(node, 'b'), depth,
      self: m.facts.functions[f].self, total: m.facts.functions[f].total };
  };
  return look;
};

const startDiff = (bytes) => {
  const m = createDiffModel(decodeDiff(bytes));
  const { facts } = m;
  const between = facts.claim === 'between versions';
  const amounts = createAmounts(facts);
  const isShare = facts.unit === 'share';

  // ---- heading and foot ----
  const commands = facts.sides.map((side) => side.command || '(unknown command)');
  const same = commands[0] === commands[1];
  byId('command').textContent = same ? commandText(commands[0]) : `a: ${commandText(commands[0])}  \u2192  b: ${commandText(commands[1])}`;
  byId('command').title = clean(commands.join(' \u2192 '), 4000);
  document.title = `${clean(lastParts(commands[1], 1), 80)}: comparison \u2013 Pitviper`;
  const whole = facts.whole;
  const sideText = (name, runs, amount) => `${name}: ${countText(runs, 'run', 'runs')}${isShare ? '' : `, ${timeText(amount)} each`}`;
  byId('facts').textContent = [sideText('a', facts.runs_a, whole.a), sideText('b', facts.runs_b, whole.b),
    isShare ? 'shares of samples' : facts.mode === 'wall' ? 'thread time, waiting included' : facts.mode === 'cpu' ? 'time on a CPU' : 'time holding the GIL'].join(' \u00b7 ');
  if (!isShare) putFact(byId('shares'), 'All of a run', `${signOf(whole)} ${amounts.signed(whole.change)}`.trim(),
    between ? `${amounts.range(whole)}, ${sureText(whole)}` : 'these two runs');
  const counted = facts.functions.filter((f) => f.self.changed || f.total.changed).length;
  putFact(byId('shares'), 'Functions', `${numberText(counted)} surely changed`, `of ${numberText(facts.functions_compared)} compared`);
  byId('whole').textContent = between
    ? `Change between versions, from the spread between runs. ${isShare ? 'Counts of samples tell no time: shares are compared' : 'Times are a run'}; ranges are 95 % intervals.`
    : 'Change within these runs. It says nothing about versions: the next run of either may differ as much. Give two runs or more a side for that.';
  const trust = byId('trust');
  putFact(trust, 'Claim', between
    ? `of the mean a run, from ${numberText(facts.runs_a)} and ${numberText(facts.runs_b)} runs (Welch\u2019s interval)`
    : 'of what these runs took (Newcombe\u2019s interval of the difference of two shares)');
  putFact(trust, 'Sure', `\u25b2 and \u25bc are what is still sure when it is counted how many were compared: ${numberText(facts.functions_compared)} ` +
    `functions and ${numberText(facts.lines_compared)} lines (Holm, 5 %). They are of the function, wherever it runs`);
  putFact(trust, 'Frames', (facts.hit_a > 0 || facts.hit_b > 0
    ? 'a frame is coloured, and has + or \u2212, where its change is beyond twice what counting samples alone gives; of the spread between runs a frame knows nothing.'
    : 'of how many samples these times are is not known: every frame that changed is coloured.') + ' The paler, the smaller the change is as a part of the frame');
  facts.sides.forEach((side, i) => {
    const name = i === 0 ? 'a' : 'b';
    putFact(trust, `Side ${name}`, [commandText(side.command || '(unknown command)'), side.python ? `Python ${clean(side.python, 40)}` : '',
      side.host ? `on ${clean(side.host, 60)}` : ''].filter((text) => text !== '').join(' \u00b7 '));
    if (side.damaged > 0) putFact(trust, `Side ${name}`, `${countText(side.damaged, 'recording is', 'recordings are')} not whole: all that could be read is in it`);
  });

  // ---- graph ----
  const look = createDiffLook(m);
  const flame = createFlame(m, look, (node, hovering) => showDetail(node, hovering), () => showCrumbs(flame));
  const showDetail = (node, hovering) => {
    const what = node === null || node === undefined ? null : flame.describe(node);
    const box = byId('detail-text');
    if (what === null) {
      box.replaceChildren(element('span', 'Point at a frame, or use the arrow keys. Red grew, blue and hatched shrank.', { class: 'quiet' }));
      return;
    }
    const name = what.root ? 'All of a run' : what.name;
    const texts = what.root ? amounts.change(whole.a, whole.b) : amounts.change(what.a, what.b);
    const rest = what.root ? '' : `the function, wherever it runs: total ${amounts.signed(what.total.change)} (${amounts.range(what.total)}), ` +
      `${sureText(what.total)}; self ${amounts.signed(what.self.change)} (${amounts.range(what.self)}), ${sureText(what.self)}`;
    box.replaceChildren(element('strong', name), element('span', what.place || '', { class: 'quiet' }), element('span', texts[0]),
      element('span', texts.slice(1).join(' \u00b7 '), { class: 'quiet' }), element('span', rest, { class: 'quiet' }));
    if (!hovering) byId('live').textContent = [name, what.place, ...texts, rest, what.depth ? `depth ${what.depth}` : ''].filter((text) => text).join(', ');
  };
  createFlameTools(flame);
  const widths = [['both', 'Both', 'as wide as the mean of both sides: nothing is hidden'], ['a', 'a', 'as wide as in a'], ['b', 'b', 'as wide as in b']];
  const setWidth = (width) => {
    m.weigh(width);
    showWidth();
    flame.reset();
    showFound();
  };
  const showWidth = createRadios(byId('widths'), widths, () => m.width, setWidth);
  const showColour = createRadios(byId('colours'), [['total', 'Total', 'coloured by the change of a function and what it calls'],
    ['self', 'Self', 'coloured by the change of a function\u2019s own time']], () => look.by, (by) => {
    look.by = by;
    showColour();
    flame.draw();
  });

  // ---- tables ----
  const sure = byId('sure');
  const shown = (f) => m.matches === null || m.matches[f] === 1;
  const none = () => (sure.checked ? 'No change that is sure.' : 'Nothing matches.');
  // Sure changes before others, the larger before the smaller.
  const size = (measure) => (measure.changed ? Math.abs(measure.change) : -1 / Math.abs(measure.change));
  const changeColumns = (name, of) => [
    { key: `${name}-sure sign`, title: name, value: (x) => size(of(x)), down: true },
    { key: `${name}-change number`, title: 'change', value: (x) => of(x).change, down: true },
    { key: `${name}-range number`, title: '95 % range' },
    { key: `${name}-a number`, title: 'a', value: (x) => of(x).a, down: true },
    { key: `${name}-b number`, title: 'b', value: (x) => of(x).b, down: true },
  ];
  const fillChange = (tr, name, measure) => {
    const sign = appendCell(tr, `${name}-sure sign`, signOf(measure));
    sign.title = sureText(measure);
    if (measure.changed) sign.setAttribute('aria-label', sureText(measure));
    appendCell(tr, `${name}-change number ${!measure.changed ? 'quiet' : measure.change > 0 ? 'grew' : 'shrank'}`, amounts.signed(measure.change));
    appendCell(tr, `${name}-range number quiet`, amounts.range(measure));
    appendCell(tr, `${name}-a number`, measure.a > 0 ? amounts.text(measure.a) : '\u2013');
    appendCell(tr, `${name}-b number`, measure.b > 0 ? amounts.text(measure.b) : '\u2013');
  };
  const functions = createTable(byId('function-table'), byId('more-functions'), [
    ...changeColumns('total', (f) => facts.functions[f].total),
    ...changeColumns('self', (f) => facts.functions[f].self),
    { key: 'name', title: 'Function', value: (f) => m.functionName(f) },
    { key: 'place', title: 'Place', value: (f) => facts.functions[f].file },
  ], {
    rows: () => [...facts.functions.keys()].filter((f) =>
      shown(f) && (!sure.checked || facts.functions[f].self.changed || facts.functions[f].total.changed)),
    fillRow: (tr, f) => {
      fillChange(tr, 'total', facts.functions[f].total);
      fillChange(tr, 'self', facts.functions[f].self);
      tr.append(element('th', m.functionName(f), { scope: 'row', class: 'name' }));
      appendCell(tr, 'place', m.functionPlace(f)).title = clean(facts.functions[f].file, 1000);
    },
    none,
  });
  const fileOf = (line) => facts.functions[line.of].file;
  const lines = createTable(byId('line-table'), byId('more-lines'), [
    ...changeColumns('self', (line) => line.self),
    { key: 'place', title: 'Place', value: (line) => fileOf(line) },
    { key: 'text', title: 'Source' },
  ], {
    rows: () => facts.lines.filter((line) => shown(line.of) && (!sure.checked || line.self.changed)),
    fillRow: (tr, line) => {
      const gone = line.line_b === 0 && line.line_a > 0;
      fillChange(tr, 'self', line.self);
      appendCell(tr, 'place', (m.place(fileOf(line), line.line_b || line.line_a) || m.functionName(line.of)) + (gone ? ' of a' : '')).title =
        clean(`${facts.functions[line.of].function} in ${fileOf(line)}`, 1000);
      appendCell(tr, 'text', line.source === null ? '' : clean(line.source.trim().replace(/\t/g, ' ')));
    },
    none,
  });
  const tables = { functions, lines };
  const tabs = createTabs(['flame', 'functions', 'lines'], (name) => (name === 'flame' ? flame.update() : tables[name].fill()));
  const refresh = () => tabs.panel !== 'flame' && tables[tabs.panel].fill();
  sure.addEventListener('change', refresh);

  // ---- search, keys, drawing ----
  const showFound = () => {
    const count = m.matches === null ? 0 : m.matches.reduce((sum, is) => sum + is, 0);
    byId('found').textContent = m.matches === null ? '' : count === 0 ? 'no function matches'
      : `${countText(count, 'function', 'functions')}, in ${shareText(m.hits > 0 ? weightOfMatches(m) / m.hits : 0)} of the time`;
  };
  const search = createSearch(m.functions > 20000, (words) => {
    m.search(words);
    showFound();
    flame.draw();
    refresh();
  });
  const theme = createTheme((colours) => {
    flame.colours = colours;
    paintScale((t) => (t < 0.5 ? colours.shrank(1 - 2 * t) : colours.grew(2 * t - 1)));
  }, () => flame.update(), (printing) => {
    flame.printing = printing;
    if (!printing) return tabs.open(tabs.panel);
    tabs.openAll();
    functions.fill();
    lines.fill();
  });
  addEventListener('resize', () => tabs.panel === 'flame' && flame.update());
  createKeys(DIFF_KEYS, {
    f: () => {
      tabs.open('flame');
      byId('flame-canvas').focus();
    },
    t: () => tabs.open('functions'),
    l: () => tabs.open('lines'),
    w: () => setWidth(widths[(widths.findIndex(([value]) => value === m.width) + 1) % widths.length][0]),
    c: () => otherOf('colours'),
    0: () => {
      flame.zoom = flame.inverted ? null : 0;
      search.clear();
      flame.reset();
    },
    d: theme.turn,
    Escape: () => (tabs.panel === 'flame' && flame.back()) || search.clear(),
  }, search);
  flame.reset();
};

openPage(startDiff);
