// Numbers and names as the text report writes them.
const percent = (share) => {
  const value = share * 100;
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
};
const shareText = (share) => `${percent(share)} %`;
const rangeText = (s) => `${percent(s.low)}\u2013${percent(s.high)}`;
const numberText = (value) => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
const timeText = (ns) => {
  const [unit, name] = ns < 999.5e3 ? [1e3, '\u00b5s'] : ns < 999.5e6 ? [1e6, 'ms'] : [1e9, 's'];
  const value = ns / unit;
  return `${value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} ${name}`;
};
const countText = (count, one, many) => `${numberText(count)} ${count === 1 ? one : many}`;

// A stranger's text, on its way to a person: no control characters, no overrides of direction, no end to long ones.
const NAME_MOST = 300;
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
const clean = (text, most = NAME_MOST) => {
  const safe = text.slice(0, most + 1).replace(UNSAFE, '\ufffd');
  return safe.length > most ? `${safe.slice(0, most)}\u2026` : safe;
};
const lastParts = (path, parts) => path.split('/').slice(-parts).join('/');

const byId = (id) => document.getElementById(id);
// An element whose text is text, whatever is in it.
const element = (name, text, attributes = {}) => {
  const e = document.createElement(name);
  if (text !== undefined) e.textContent = text;
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  return e;
};
