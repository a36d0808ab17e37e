// A source file with its heat by line.
const LINES_AT_ONCE = 2000;
const LINE_TEXT_MOST = 2000;
const FILES_MOST = 500;

const createSource = (m) => {
  const table = byId('source-table');
  const body = table.tBodies[0];
  const select = byId('file');
  const note = byId('file-note');
  const more = byId('more-lines');
  const source = {};
  for (const [key, title] of [['self', 'Self'], ['self-range', '95 % range'], ['total', 'Total'], ['total-range', '95 % range'],
    ['number', 'Line'], ['text', 'Source']])
    table.tHead.rows[0].append(element('th', title, { scope: 'col', class: key }));
  let file = null; // string id
  let around = 0; // a line that has to be shown
  let upto = LINES_AT_ONCE;
  let options = [];

  const files = ({ places, self, total }) => {
    const sums = new Map();
    for (let i = 0; i < places.file.length; i++) {
      if (total[i] === 0 || m.string(places.file[i]) === '') continue;
      sums.set(places.file[i], (sums.get(places.file[i]) || 0) + self[i]);
    }
    return [...sums].sort((a, b) => b[1] - a[1]).slice(0, FILES_MOST);
  };
  const row = (number, text, place, lines) => {
    const tr = element('tr', undefined, { id: `line-${number}` });
    const cell = (key, value) => tr.appendChild(element('td', value, { class: key }));
    const has = place !== undefined && lines.total[place] > 0;
    const self = has && lines.self[place] > 0 ? m.placeShare(place, lines.self[place], 'self') : null;
    const total = has ? m.placeShare(place, lines.total[place], 'total') : null;
    const heated = cell('self', self ? shareText(self.share) : '');
    if (self) {
      const part = Math.sqrt(self.share);
      heated.style.setProperty('--part', String(part));
      tr.style.setProperty('--part', String(part));
      tr.className = 'hot';
    }
    cell('self-range', self ? rangeText(self) : '');
    cell('total', total ? shareText(total.share) : '');
    cell('total-range', total ? rangeText(total) : '');
    cell('number', String(number));
    cell('text', clean(text.replace(/\t/g, '    '), LINE_TEXT_MOST));
    return tr;
  };
  source.fill = () => {
    m.wholeOfLines();
    const lines = m.linePlaces();
    options = files(lines);
    if (file === null || !options.some(([id]) => id === file)) file = options.length > 0 ? options[0][0] : null;
    select.replaceChildren(...options.map(([id, hits]) => {
      const o = element('option', `${clean(lastParts(m.string(id), 3), 80)}  (${shareText(m.hits > 0 ? hits / m.hits : 0)} self)`);
      o.selected = id === file;
      return o;
    }));
    if (file === null) {
      body.replaceChildren();
      note.textContent = 'No samples in this view.';
      return;
    }
    const at = new Map();
    for (let i = 0; i < lines.places.file.length; i++) if (lines.places.file[i] === file) at.set(lines.places.number[i], i);
    const read = m.d.sources.get(file);
    const fact = m.facts.sources.find((s) => s.path === m.string(file));
    note.textContent = clean(m.string(file), 1000) + (read === undefined ? ': its text was not recorded' : fact && !fact.whole ? ': cut' : '');
    const all = read !== undefined ? read()
      : [...at.keys()].filter((n) => lines.total[at.get(n)] > 0).sort((a, b) => a - b).map((number) => ({ number, text: '' }));
    const near = all.findIndex((line) => line.number >= around);
    const first = Math.max(0, Math.min(near - LINES_AT_ONCE / 2, all.length - LINES_AT_ONCE));
    const rows = [];
    let last = first === 0 ? 0 : all[first].number - 1;
    for (const { number, text } of all.slice(first, first + upto)) {
      if (number > last + 1 && read !== undefined) {
        const tr = element('tr', undefined, { class: 'gap' });
        tr.append(element('td', `${countText(number - last - 1, 'line', 'lines')} without samples`, { colspan: '6' }));
        rows.push(tr);
      }
      rows.push(row(number, text, at.get(number), lines));
      last = number;
    }
    body.replaceChildren(...rows);
    const left = all.length - first - upto;
    more.hidden = left <= 0;
    more.textContent = `Show more of ${countText(left, 'line', 'lines')} below`;
  };
  // Shows a function's file, and its hottest line.
  source.show = (f) => {
    m.wholeOfLines();
    const { places, self, total } = m.linePlaces();
    let best = -1;
    for (let i = 0; i < places.of.length; i++) {
      if (m.d.lineFunction[i] !== f) continue;
      const p = places.of[i];
      if (best < 0 || self[p] > self[best] || (self[p] === self[best] && total[p] > total[best])) best = p;
    }
    file = m.d.file[f];
    around = best < 0 ? m.d.firstLine[f] : places.number[best];
    upto = LINES_AT_ONCE;
    source.fill();
    for (const tr of body.querySelectorAll('.chosen')) tr.classList.remove('chosen');
    const tr = byId(`line-${around}`);
    if (tr !== null) {
      tr.classList.add('chosen');
      tr.scrollIntoView({ block: 'center' });
    }
  };
  select.addEventListener('change', () => {
    file = options[select.selectedIndex][0];
    around = 0;
    upto = LINES_AT_ONCE;
    source.fill();
  });
  more.addEventListener('click', () => {
    upto += LINES_AT_ONCE;
    source.fill();
  });
  return source;
};
