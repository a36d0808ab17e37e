// The page: what was read, what is chosen, and the views of it.
const KEYS = [
  ['/', 'search'],
  ['Arrow keys', 'move between frames: down to the heaviest callee, up to the caller'],
  ['Enter', 'zoom into the frame'],
  ['Escape', 'zoom out one frame; then clear the search, then the time range'],
  ['Home', 'the outermost frame'],
  ['s', 'source of the frame'],
  ['f', 'flame graph'],
  ['t', 'table of functions'],
  ['m', 'next mode: wall, CPU, GIL'],
  ['i', 'turn the graph around: callers of the innermost functions'],
  ['o', 'order: heaviest first, or by name'],
  ['0', 'whole run, all threads, no zoom'],
  ['d', 'light or dark'],
  ['?', 'these keys'],
];

const start = (bytes) => {
  const d = decode(bytes);
  const m = createModel(d);
  const { facts } = m;
  const buckets = facts.time_line.buckets;
  const hasGil = facts.has_gil.share > 0 || !facts.notes.some((n) => n.about === 'gil');

  // ---- heading ----
  const program = facts.program;
  const firstProcess = facts.processes[0] || {};
  const command = program.command || firstProcess.command || '(unknown command)';
  const python = program.python || firstProcess.python;
  byId('command').textContent = commandText(command);
  byId('command').title = clean(command, 2000);
  document.title = `${clean(lastParts(command, 1), 80)} \u2013 Pitviper`;
  const sampled = facts.threads.filter((t) => t.samples > 0);
  const sampledProcesses = new Set(sampled.map((t) => t.process)).size;
  const notSampled = facts.processes.length - sampledProcesses;
  const date = new Date(Number(program.started) * 1000);
  byId('facts').textContent = [
    `${timeText(facts.wall_ns)} of wall time`,
    countText(sampledProcesses, 'process', 'processes') + (notSampled > 0 ? ` and ${notSampled} not sampled` : ''),
    countText(sampled.length, 'thread', 'threads'),
    countText(facts.samples, 'sample', 'samples'),
    python ? `Python ${clean(python, 40)}` : '',
    program.host ? `on ${clean(program.host, 60)}` : '',
    program.started && Number.isFinite(date.getTime()) ? `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC` : '',
  ].filter((text) => text !== '').join(' \u00b7 ');
  if (!facts.recording.complete) {
    const box = byId('damage');
    box.hidden = false;
    const r = facts.recording;
    box.append(element('strong', 'This recording is not whole. '), `${clean(r.damage || 'cut short')}, after ` +
      `${numberText(r.damaged_at)} bytes; all before that is shown` + (r.bytes_lost > 0
      ? `, and all that could be read after it: ${numberText(r.bytes_lost)} bytes in ${countText(r.gaps, 'place is', 'places are')} lost.` : '.'));
  }
  if (facts.samples > 0) {
    putFact(byId('shares'), 'On a CPU', shareText(facts.on_cpu.share), rangeText(facts.on_cpu));
    if (hasGil) putFact(byId('shares'), 'Holding the GIL', shareText(facts.has_gil.share), rangeText(facts.has_gil));
    else putFact(byId('shares'), 'Holding the GIL', 'no GIL');
    if (hasGil && facts.waits_for_gil !== null)
      putFact(byId('shares'), 'Waiting for the GIL', shareText(facts.waits_for_gil.share), rangeText(facts.waits_for_gil));
  }

  // ---- foot ----
  const trust = byId('trust');
  const part = (a, b) => (b > 0 ? a / b : 0);
  const c = facts.counters;
  const stacks = (samples, repaired, rejected) => putFact(trust, 'Stacks', `${countText(samples, 'sample', 'samples')}, ` +
    `${numberText(repaired)} repaired (${shareText(part(repaired, samples))}), ${numberText(rejected)} rejected ` +
    `(${shareText(part(rejected, samples + rejected))})`);
  if (c !== null) {
    const rate = Number(program.rate_hz);
    putFact(trust, 'Ticks', `${numberText(c.ticks_due)} asked for${rate > 0 ? ` at ${numberText(rate)} Hz` : ''}, ` +
      `${numberText(c.ticks_taken)} taken, ${numberText(c.ticks_late)} late (${shareText(part(c.ticks_late, c.ticks_due))}), ` +
      `${numberText(c.ticks_missed)} missed (${shareText(part(c.ticks_missed, c.ticks_due))}); longest gap ${timeText(c.longest_gap_ns)}`);
    stacks(c.samples, c.repaired, c.rejected);
    putFact(trust, 'Cost', `the profiler used ${timeText(c.profiler_cpu_ns)} of CPU, ` +
      `${shareText(part(c.profiler_cpu_ns, c.profiler_wall_ns || facts.wall_ns))} of one core; the program was slowed by an ` +
      `estimated ${shareText(c.target_cost_ppm / 1e6)}`);
  } else {
    putFact(trust, 'Ticks', 'the recording ends before its first count of late and missed ones');
    stacks(facts.samples, facts.repaired, facts.rejected);
  }
  const { kept } = facts;
  if (kept.one_tick_in > 1)
    putFact(trust, 'Kept', `thinned to 1 tick in ${numberText(kept.one_tick_in)}, evenly over the run; the counts here are of all that was sampled`);
  if (kept.last_ns > 0)
    putFact(trust, 'Kept', kept.dropped
      ? `the last ${timeText(facts.wall_ns)} of ${timeText(c.profiler_wall_ns)}, recorded with --last ${timeText(kept.last_ns)}; the counts here are of all that was sampled`
      : `recorded with --last ${timeText(kept.last_ns)}`);
  const cpu = facts.cpu_time;
  if (cpu.threads > 0) {
    const known = cpu.kernel_cpu_ns + cpu.kernel_wait_ns;
    const distance = (100 * (cpu.sampled_ns - known)) / known;
    putFact(trust, 'CPU time', `${timeText(cpu.sampled_ns)} by samples; the kernel has ${timeText(cpu.kernel_cpu_ns)} on a CPU and ` +
      `${timeText(cpu.kernel_wait_ns)} waiting for one` +
      (known > 0 ? `: a difference of ${distance < 0 ? '\u2212' : '+'}${Math.abs(distance).toFixed(1)} %` : ''));
  }
  if (c !== null && (c.children_found > 0 || c.children_late > 0))
    putFact(trust, 'Children', `${numberText(c.children_found)} found, ${numberText(c.children_late)} of them too late to be sampled`);
  if (c !== null && c.bytes_lost > 0) putFact(trust, 'Lost', `${numberText(c.bytes_lost)} bytes could not be written`);
  if (facts.recording.bytes_lost > 0)
    putFact(trust, 'Lost', `${numberText(facts.recording.bytes_lost)} bytes of the recording are damaged or missing, from byte ` +
      `${numberText(facts.recording.damaged_at)} on: no figure has them`);
  for (const note of facts.notes) putFact(trust, 'Note', clean(note.text, 2000));

  // ---- views ----
  const flame = createFlame(m, createReportLook(m), (node, hovering) => showDetail(node, hovering), () => showCrumbs(flame));
  const time = createTimeLine(m, (from, to) => setRange(from, to), (thread) => choose({ thread, process: -1 }));
  const table = createFunctionTable(m, (f) => showSource(f));
  const source = createSource(m);
  const stale = { functions: true, source: true };
  const refresh = () => {
    if (tabs.panel === 'functions' && stale.functions) table.fill();
    if (tabs.panel === 'source' && stale.source) source.fill();
    if (tabs.panel !== 'flame') stale[tabs.panel] = false;
  };
  const tabs = createTabs(['flame', 'functions', 'source'], (name) => {
    if (name === 'flame') flame.update();
    refresh();
  });
  const showSource = (f) => {
    tabs.open('source');
    source.show(f);
  };

  let detailed = null;
  const showDetail = (node, hovering) => {
    const what = node === null || node === undefined ? null : flame.describe(node);
    const box = byId('detail-text');
    byId('detail-source').hidden = what === null || what.root || m.d.kind[what.f] !== 0;
    detailed = what;
    if (what === null) {
      box.replaceChildren(element('span', 'Point at a frame, or use the arrow keys. A frame is as wide as its share of the time.', { class: 'quiet' }));
      return;
    }
    if (what.root) {
      const all = `${countText(what.weight, 'sample', 'samples')}, ${timeText(m.time(what.weight))}`;
      box.replaceChildren(element('strong', 'All of the view'), element('span', all, { class: 'quiet' }));
      if (!hovering) byId('live').textContent = `All of the view: ${all}`;
      return;
    }
    const total = `${shareText(what.share.share)} of the time`;
    const rest = [`${rangeText(what.share)} %`, timeText(what.time), countText(what.weight, 'sample', 'samples')];
    if (what.weight > 0) rest.push(`${shareText(what.cpu / what.weight)} of it on a CPU`);
    box.replaceChildren(element('strong', what.name), element('span', what.place, { class: 'quiet' }), element('span', total),
      element('span', rest.join(' \u00b7 '), { class: 'quiet' }),
      element('span', `self, wherever it runs: ${shareText(what.self.share)} (${rangeText(what.self)})`, { class: 'quiet' }));
    if (!hovering) byId('live').textContent = `${what.name}, ${what.place}, ${total}, ${rest.join(', ')}, depth ${what.depth}`;
  };
  byId('detail-source').addEventListener('click', () => detailed !== null && detailed.f !== undefined && showSource(detailed.f));
  // ---- what is counted ----
  const modes = [['wall', 'Wall', 'all samples'], ['cpu', 'CPU', 'samples on a CPU, or ready to run']];
  if (hasGil) modes.push(['gil', 'GIL', 'samples that held the GIL']);
  const showMode = createRadios(byId('modes'), modes, () => m.view.mode, (mode) => choose({ mode }));
  createFlameTools(flame);
  const fillSelect = (select, field, all, rows, value, pick) => {
    if (rows.length < 2) return;
    byId(field).hidden = false;
    select.append(element('option', all, { value: '-1' }), ...rows.map(([id, text]) => element('option', text, { value: String(id) })));
    select.addEventListener('change', () => pick(Number(select.value)));
  };
  const processSelect = byId('process');
  const threadSelect = byId('thread');
  fillSelect(processSelect, 'process-field', 'all', facts.processes.filter((p) => p.hits > 0).map((p) =>
    [p.id, `${p.pid} ${clean(lastParts(p.command.split(' ').slice(-1)[0], 1), 30)}`]), -1, (process) => choose({ process, thread: -1 }));
  fillSelect(threadSelect, 'thread-field', 'all', facts.threads.filter((t) => t.samples > 0).slice(0, 2000).map((t) =>
    [t.id, `${clean(t.name, 40)} (${t.tid})`]), -1, (thread) => choose({ thread }));

  const describeWhole = () => {
    const of = timeText(m.time(m.hits));
    const text = m.hits === 0 ? 'There are no samples in this view.'
      : m.view.mode === 'cpu' ? `100 % is the time that threads were on a CPU, or ready to run: ${of}.`
        : m.view.mode === 'gil' ? `100 % is the time that a thread held the GIL: ${of}.`
          : facts.max_threads > 1 && m.threadsSeen > 1
            ? `100 % is thread time, waiting included: ${of}, by ${numberText(m.threadsSeen)} threads. A thread that sleeps counts as much as one that works; CPU leaves the sleeping out.`
            : `100 % is ${of} of one thread\u2019s time at a time, waiting included.`;
    const kept = program.mode === 'cpu' || program.mode === 'gil' ? ` It was recorded with --mode ${program.mode}: other samples were not kept.` : '';
    byId('whole').textContent = `${text} Ranges are 95 % intervals of the share in this run.${kept}`;
  };
  const showFound = () => {
    if (m.matches === null) {
      byId('found').textContent = '';
      return;
    }
    const { hits, functions } = m.found();
    byId('found').textContent = functions === 0 ? 'no function matches'
      : `${countText(functions, 'function', 'functions')}, in ${shareText(m.hits > 0 ? hits / m.hits : 0)} of the time`;
  };
  const update = () => {
    stale.functions = stale.source = true;
    showMode();
    processSelect.value = String(m.view.process);
    threadSelect.value = String(m.view.thread);
    byId('from').value = time.secondsText(m.view.from);
    byId('to').value = time.secondsText(m.view.to);
    byId('everything').disabled = m.view.from === 0 && m.view.to === buckets;
    describeWhole();
    showFound();
    time.update();
    flame.reset();
    refresh();
  };
  const choose = (change) => {
    Object.assign(m.view, change);
    m.count();
    update();
  };
  const setRange = (from, to) => {
    const first = Math.min(Math.max(0, Math.floor(from)), Math.max(0, buckets - 1));
    choose({ from: first, to: Math.max(first + 1, Math.min(buckets, Math.ceil(to))) });
  };
  const fromFields = () => {
    const [from, to] = [byId('from'), byId('to')].map((field) => time.edgeAt(Number(field.value)));
    if (Number.isFinite(from) && Number.isFinite(to)) setRange(from, Math.max(from, to));
  };
  byId('from').addEventListener('change', fromFields);
  byId('to').addEventListener('change', fromFields);
  byId('everything').addEventListener('click', () => setRange(0, buckets));
  const search = createSearch(m.functions > 20000, (words) => {
    m.search(words);
    showFound();
    stale.functions = true;
    flame.draw();
    refresh();
  });

  // ---- theme, print, size ----
  const theme = createTheme((colours) => {
    flame.colours = time.colours = colours;
    paintScale(colours.heat);
  }, () => {
    time.draw();
    flame.update();
  }, (printing) => {
    flame.printing = printing;
    if (!printing) return tabs.open(tabs.panel);
    tabs.openAll();
    if (stale.functions) table.fill();
    if (stale.source) source.fill();
    stale.functions = stale.source = false;
  });
  addEventListener('resize', () => {
    time.draw();
    if (tabs.panel === 'flame') flame.update();
  });

  // ---- keys ----
  const nextMode = () => choose({ mode: modes[(modes.findIndex(([value]) => value === m.view.mode) + 1) % modes.length][0] });
  const whole = () => {
    flame.zoom = flame.inverted ? null : 0;
    search.clear();
    choose({ process: -1, thread: -1, from: 0, to: buckets });
  };
  const escape = () => {
    if (tabs.panel === 'flame' && flame.back()) return;
    if (!search.clear()) setRange(0, buckets);
  };
  createKeys(KEYS, {
    s: () => detailed !== null && detailed.f !== undefined && m.d.kind[detailed.f] === 0 ? showSource(detailed.f) : tabs.open('source'),
    f: () => {
      tabs.open('flame');
      byId('flame-canvas').focus();
    },
    t: () => tabs.open('functions'),
    m: nextMode,
    0: whole,
    d: theme.turn,
    Escape: escape,
  }, search);

  update();
};

openPage(start);
