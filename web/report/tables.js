// Tables whose headings sort, and the report's of its functions.
const ROWS_AT_ONCE = 200;

// Columns have a key (a class of their cells) and a title; those that sort a `value` of a row (number or text), `down` where
// the first click is to sort downwards, and `ties` to compare equal ones. `rows()` are what is shown, `fillRow(tr, row)`
// makes cells, `none()` says why there are no rows.
const createTable = (table, more, columns, { rows, fillRow, none }) => {
  const body = table.tBodies[0];
  let sort = columns.find((column) => column.value);
  let down = sort.down === true;
  let most = ROWS_AT_ONCE;
  const heads = columns.map((column) => {
    const th = element('th', column.value ? undefined : column.title, { scope: 'col', class: column.key });
    if (column.value) {
      const b = element('button', column.title, { type: 'button' });
      b.addEventListener('click', () => {
        down = sort === column ? !down : column.down === true;
        sort = column;
        fill();
      });
      th.append(b);
    }
    table.tHead.rows[0].append(th);
    return th;
  });
  const compare = (a, b) => {
    const [x, y] = [sort.value(a), sort.value(b)];
    return x < y ? -1 : x > y ? 1 : sort.ties ? sort.ties(a, b) : 0;
  };
  const fill = () => {
    const found = rows().sort(down ? (a, b) => compare(b, a) : compare);
    heads.forEach((th, i) => {
      if (columns[i] === sort) th.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      else th.removeAttribute('aria-sort');
    });
    body.replaceChildren(...found.slice(0, most).map((row) => {
      const tr = element('tr');
      fillRow(tr, row);
      return tr;
    }));
    if (found.length === 0) {
      const tr = element('tr');
      tr.append(element('td', none(), { colspan: String(columns.length) }));
      body.append(tr);
    }
    more.hidden = found.length <= most;
    more.textContent = `Show ${numberText(Math.min(ROWS_AT_ONCE, found.length - most))} more of ${numberText(found.length - most)}`;
  };
  more.addEventListener('click', () => {
    most += ROWS_AT_ONCE;
    fill();
  });
  return { fill };
};
const appendCell = (tr, key, text) => tr.appendChild(element('td', text, { class: key }));

const createFunctionTable = (m, onSource) => {
  const byTotal = (a, b) => m.fnTotal[a] - m.fnTotal[b];
  const byLine = (a, b) => m.d.firstLine[a] - m.d.firstLine[b];
  const columns = [
    { key: 'self', title: 'Self', value: (f) => m.fnSelf[f], down: true, ties: byTotal },
    { key: 'self-range', title: '95 % range' },
    { key: 'total', title: 'Total', value: (f) => m.fnTotal[f], down: true, ties: byTotal },
    { key: 'total-range', title: '95 % range' },
    { key: 'time', title: 'Self time' },
    { key: 'cpu', title: 'On CPU', value: (f) => (m.fnTotal[f] > 0 ? m.fnTotalCpu[f] / m.fnTotal[f] : 0), down: true, ties: byTotal },
    { key: 'samples', title: 'Samples' },
    { key: 'name', title: 'Function', value: (f) => m.functionName(f), ties: byLine },
    { key: 'place', title: 'Place', value: (f) => m.functionFile(f), ties: byLine },
  ];
  const rows = () => {
    const found = [];
    for (let f = 0; f < m.functions; f++) if (m.fnTotal[f] > 0 && (m.matches === null || m.matches[f])) found.push(f);
    return found;
  };
  const fillRow = (tr, f) => {
    const self = m.selfShare(f);
    const total = m.totalShare(f);
    const heated = appendCell(tr, 'self', shareText(self.share));
    heated.style.setProperty('--part', String(Math.sqrt(self.share)));
    if (self.share === 0) heated.classList.add('none');
    appendCell(tr, 'self-range', rangeText(self));
    appendCell(tr, 'total', shareText(total.share));
    appendCell(tr, 'total-range', rangeText(total));
    appendCell(tr, 'time', timeText(m.time(m.fnSelf[f])));
    appendCell(tr, 'cpu', m.fnTotal[f] > 0 ? shareText(m.fnTotalCpu[f] / m.fnTotal[f]) : '');
    appendCell(tr, 'samples', `${numberText(m.fnSelf[f])} / ${numberText(m.fnTotal[f])}`);
    const name = tr.appendChild(element('th', undefined, { scope: 'row', class: 'name' }));
    if (m.d.kind[f] === 0) {
      const b = element('button', m.functionName(f), { type: 'button', title: 'Show the source' });
      b.addEventListener('click', () => onSource(f));
      name.append(b);
    } else {
      name.textContent = m.functionName(f);
    }
    const place = appendCell(tr, 'place', m.functionPlace(f));
    place.title = clean(m.functionFile(f), 1000);
  };
  return createTable(byId('function-table'), byId('more-functions'), columns,
    { rows, fillRow, none: () => (m.hits === 0 ? 'No samples in this view.' : 'No function matches.') });
};
