(() => {
const all = (css, at = document) => [...at.querySelectorAll(css)];
const make = (name, text = '', more = {}) => Object.assign(document.createElement(name), { textContent: text }, more);
const words = document.querySelector('footer').dataset;
const said = make('p', '', { className: 'hush', role: 'status' });
document.body.append(said);

const button = (text, name, act) => make('button', text, { type: 'button', ariaLabel: name, onclick: act });
const copier = (name, from) => {
  const lines = all('.same,.add', from);
  // Of a diff, the new text.
  const text = lines.length ? lines.map((l) => l.textContent.slice(2)).join('') : from.textContent;
  const b = button(words.copy, words.copy + ' ' + name, async () => {
    try { await navigator.clipboard.writeText(text); } catch {
      getSelection().selectAllChildren(from);
      document.execCommand('copy');
    }
    said.textContent = words.copied + ': ' + name;
    b.textContent = words.copied;
    setTimeout(() => { b.textContent = words.copy; }, 1500);
  });
  return b;
};
all('pre.copy').forEach((pre, i) => {
  const box = make('div', '', { className: 'box' });
  pre.replaceWith(box);
  box.append(pre, copier('[' + (i + 1) + ']', pre));
});
all('#verdict .change .name').forEach((name) => name.after(' ', copier(name.textContent, name)));

all('table.live').forEach((table) => {
  const body = table.tBodies[0], rows = [...body.rows], heads = all('th', table);
  const { compare } = new Intl.Collator(document.documentElement.lang, { numeric: true });
  heads.forEach((th, i) => th.replaceChildren(button(th.textContent, null, () => {
    const up = th.ariaSort !== 'ascending';
    heads.forEach((h) => { h.ariaSort = null; });
    th.ariaSort = up ? 'ascending' : 'descending';
    const keys = new Map(rows.map((r) => [r, r.cells[i].textContent.replace(/(\d),(?=\d{3})/g, '$1')]));
    body.append(...[...rows].sort((a, b) => (up ? 1 : -1) * compare(keys.get(a), keys.get(b))));
  })));
  if (rows.length < 6) return;
  let texts;
  const count = make('output'), label = make('label', words.filter + ' '), find = make('div', '', { className: 'find' });
  label.append(make('input', '', { type: 'search', oninput: (e) => {
    texts ??= rows.map((r) => r.textContent.toLowerCase());
    const terms = e.target.value.toLowerCase().split(/\s+/);
    const shown = rows.filter((r, i) => !(r.hidden = !terms.every((w) => texts[i].includes(w))));
    count.textContent = shown.length + ' ' + words.of + ' ' + rows.length;
  } }));
  find.append(label, count);
  table.parentNode.before(find);
});

const reveal = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let e = target; e; e = e.parentElement) if (e.tagName === 'DETAILS') e.open = true;
  target?.scrollIntoView();
};
addEventListener('hashchange', reveal);
addEventListener('beforeprint', () => all('details').forEach((d) => { d.open = true; }));
reveal();

document.querySelector('footer').append(button(words.download, null, () => {
  const json = new Blob([document.getElementById('coroner-report').textContent]);
  make('a', '', { href: URL.createObjectURL(json), download: 'coroner-report.json' }).click();
}));
})();
