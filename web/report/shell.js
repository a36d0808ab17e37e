// What every page has: colours, light and dark, print, tabs, choices, keys.
const paletteOf = (style) => {
  const get = (name) => style.getPropertyValue(name).trim();
  // From one colour over the next ones to the last, with a text colour that can be read on each.
  const ramp = (names) => {
    const stops = names.map((name) => get(name).match(/\w\w/g).map((h) => parseInt(h, 16)));
    const steps = Array.from({ length: 65 }, (_, i) => {
      const at = (i / 64) * (stops.length - 1);
      const k = Math.min(stops.length - 2, Math.floor(at));
      const rgb = stops[k].map((v, c) => Math.round(v + (stops[k + 1][c] - v) * (at - k)));
      const light = rgb.map((v) => (v / 255) ** 2.2);
      const luminance = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
      return { back: `rgb(${rgb.join(' ')})`, text: luminance > 0.2 ? '#1d1710' : '#fffaf2' };
    });
    return (t) => steps[Math.round(Math.min(1, Math.max(0, t)) * 64)];
  };
  return {
    heat: ramp([0, 1, 2, 3, 4].map((i) => `--heat-${i}`)),
    grew: ramp(['--heat-0', '--heat-2', '--heat-4']),
    shrank: ramp(['--heat-0', '--shrank-1', '--shrank-2']),
    root: { back: get('--line'), text: get('--ink') },
    named: [0, 1, 2, 3, 4, 5, 6, 'other'].map((i) => get(`--named-${i}`)),
    gil: get('--gil'), waits: get('--waits'), gc: get('--gc'), veil: get('--veil'),
    ink: get('--ink'), muted: get('--muted'), line: get('--line'), rest: get('--rest'), focus: get('--focus'), mark: get('--focus'),
    font: `12px ${get('--sans')}`, small: `11px ${get('--sans')}`,
    outlines: matchMedia('(prefers-contrast: more), (forced-colors: active)').matches,
  };
};

// The switch between light and dark. `paint(colours)` is called with the colours before anything is drawn with them,
// `redraw` when they have changed; `printing(is)` around printing, which is in light and shows all panels.
const createTheme = (paint, redraw, printing) => {
  const root = document.documentElement;
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const isDark = () => (root.dataset.theme || (dark.matches ? 'dark' : 'light')) === 'dark';
  const apply = () => {
    byId('theme').textContent = isDark() ? 'Light' : 'Dark';
    paint(paletteOf(getComputedStyle(root)));
  };
  const repaint = () => {
    apply();
    redraw();
  };
  const turn = () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    repaint();
  };
  byId('theme').addEventListener('click', turn);
  dark.addEventListener('change', repaint);
  let before = null;
  addEventListener('beforeprint', () => {
    if (before !== null) return;
    before = { theme: root.dataset.theme };
    root.dataset.theme = 'light';
    printing(true);
    repaint();
  });
  addEventListener('afterprint', () => {
    if (before === null) return;
    if (before.theme === undefined) delete root.dataset.theme;
    else root.dataset.theme = before.theme;
    before = null;
    printing(false);
    repaint();
  });
  apply();
  return { turn };
};
// The scale under the graph, `fill` by place from 0 to 1.
const paintScale = (fill) => {
  const scale = byId('scale-canvas');
  scale.width = 120;
  scale.height = 8;
  const context = scale.getContext('2d');
  for (let i = 0; i < 120; i++) {
    context.fillStyle = fill(i / 119).back;
    context.fillRect(i, 0, 1, 8);
  }
};

// One of several: a group of buttons. `show()` marks the one that is `current()`.
const createRadios = (holder, choices, current, pick) => {
  const buttons = choices.map(([value, text, title]) => {
    const b = element('button', text, { type: 'button', role: 'radio', title: title || '' });
    b.addEventListener('click', () => pick(value));
    holder.append(b);
    return b;
  });
  const show = () => buttons.forEach((b, i) => {
    const is = choices[i][0] === current();
    b.setAttribute('aria-checked', String(is));
    b.tabIndex = is ? 0 : -1;
  });
  holder.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = (choices.findIndex(([value]) => value === current()) + step + choices.length) % choices.length;
    pick(choices[next][0]);
    buttons[next].focus();
  });
  show();
  return show;
};
// Callees or callers, and the order from the left: the same for every graph.
const createFlameTools = (flame) => {
  const showDirection = createRadios(byId('directions'), [[false, 'Callees', 'outermost functions on top, what they call below'],
    [true, 'Callers', 'innermost functions on top, their callers below']], () => flame.inverted, (inverted) => {
    flame.inverted = inverted;
    flame.zoom = inverted ? null : 0;
    showDirection();
    flame.reset();
  });
  const showOrder = createRadios(byId('orders'), [['heavy', 'Heaviest first'], ['name', 'By name']], () => flame.order, (order) => {
    flame.order = order;
    showOrder();
    flame.update();
  });
};
const otherOf = (holder) => byId(holder).querySelector('[aria-checked=false]').click();

const createTabs = (panels, onOpen) => {
  const tabs = { panel: panels[0] };
  tabs.open = (name) => {
    tabs.panel = name;
    for (const p of panels) {
      byId(p).hidden = p !== name;
      byId(`tab-${p}`).setAttribute('aria-selected', String(p === name));
      byId(`tab-${p}`).tabIndex = p === name ? 0 : -1;
    }
    onOpen(name);
  };
  tabs.openAll = () => {
    for (const p of panels) byId(p).hidden = false;
  };
  panels.forEach((name, i) => {
    const tab = byId(`tab-${name}`);
    tab.addEventListener('click', () => tabs.open(name));
    tab.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowLeft: panels.length - 1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const next = panels[(i + step) % panels.length];
      tabs.open(next);
      byId(`tab-${next}`).focus();
    });
  });
  return tabs;
};

const showCrumbs = (flame) => {
  const crumbs = flame.crumbs();
  const kept = crumbs.length > 6 ? [crumbs[0], null, ...crumbs.slice(-4)] : crumbs;
  byId('crumbs').replaceChildren(...kept.map((crumb, i) => {
    const item = element('li');
    if (crumb === null) item.textContent = '\u2026';
    else if (i === kept.length - 1) item.append(element('span', clean(crumb.name, 60), { 'aria-current': 'true' }));
    else {
      const b = element('button', clean(crumb.name, 60), { type: 'button' });
      b.addEventListener('click', () => flame.zoomTo(crumb.node));
      item.append(b);
    }
    return item;
  }));
};
const putFact = (list, name, text, quiet) => {
  const dd = element('dd', text);
  if (quiet) dd.append(' ', element('span', quiet, { class: 'quiet' }));
  list.append(element('dt', name), dd);
};
// Where the interpreter lives is seldom news.
const commandText = (command) => clean(command, 600).replace(/^\S*\/(?=python[0-9.]*t? )/, '');

// The field for words to look for: `find(words)` is called with what is in it.
const createSearch = (slow, find) => {
  const field = byId('search');
  let waiting = 0;
  field.addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => find(field.value), slow ? 150 : 0);
  });
  // False: there was nothing in it.
  const clear = () => {
    const had = field.value !== '';
    field.value = '';
    find('');
    return had;
  };
  return { field, clear };
};
// `rows` are keys and what they do, as the help shows them; `actions` by key.
const createKeys = (rows, actions, search) => {
  const dialog = byId('keys');
  for (const [key, text] of rows) {
    const tr = dialog.querySelector('tbody').insertRow();
    const th = element('th', undefined, { scope: 'row' });
    th.append(element('kbd', key));
    tr.append(th, element('td', text));
  }
  byId('help').addEventListener('click', () => dialog.showModal());
  const all = {
    '/': () => search.field.focus(),
    '?': () => dialog.showModal(),
    i: () => otherOf('directions'),
    o: () => otherOf('orders'),
    ...actions,
  };
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
      if (event.key === 'Escape' && event.target === search.field) {
        search.clear();
        byId('flame-canvas').focus({ preventScroll: true });
        event.preventDefault();
      }
      return;
    }
    if (!Object.hasOwn(all, event.key)) return;
    event.preventDefault();
    all[event.key]();
  });
};

// Reads the data block and hands it to `start`; where that cannot be, says so.
const openPage = (start) => unpack(byId('data').textContent).then((bytes) => {
  start(bytes);
  performance.mark('drawn');
  document.documentElement.dataset.ready = 'true';
}).catch((error) => {
  byId('command').textContent = 'This page cannot be shown';
  const box = byId('damage');
  box.hidden = false;
  box.textContent = typeof DecompressionStream === 'undefined'
    ? 'The browser is too old: it has no DecompressionStream. pitviper report FILE prints the same facts.'
    : `The data in it cannot be read (${error.message}). Export it again from the recording.`;
  console.error(error);
});
