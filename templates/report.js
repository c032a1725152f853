(function () {
'use strict';
var all = function (css, at) { return Array.prototype.slice.call((at || document).querySelectorAll(css)); };
var make = function (name, text) { var e = document.createElement(name); e.textContent = text || ''; return e; };
var said = make('p'); said.className = 'hush'; said.setAttribute('role', 'status'); document.querySelector('main').appendChild(said);

function copied(button, label) {
  said.textContent = label + ': copied'; button.textContent = 'Copied';
  setTimeout(function () { button.textContent = 'Copy'; }, 1500);
}
function copy(text, button, label) {
  function old() {
    var area = make('textarea'); area.value = text; document.body.appendChild(area); area.select();
    document.execCommand('copy'); area.remove(); copied(button, label);
  }
  if (!navigator.clipboard) return old();
  navigator.clipboard.writeText(text).then(function () { copied(button, label); }, old);
}
// A diff is copied as the new text; anything else as it stands.
function textOf(e) {
  var lines = all('.same,.add', e);
  return lines.length ? lines.map(function (l) { return l.textContent.slice(2); }).join('') : e.textContent;
}
function button(label, text, place) {
  var b = make('button', 'Copy'); b.type = 'button'; b.setAttribute('aria-label', 'Copy ' + label);
  b.onclick = function () { copy(text(), b, label); };
  place(b);
}
all('pre.copy').forEach(function (pre, i) {
  var box = make('div'); box.className = 'box'; pre.replaceWith(box); box.appendChild(pre);
  button((pre.classList.contains('diff') ? 'changed text ' : 'block ') + (i + 1), function () { return textOf(pre); }, function (b) { box.appendChild(b); });
});
all('#verdict .change .name').forEach(function (name) {
  button('name', function () { return name.textContent; }, function (b) { b.className = 'inline'; name.after(b); });
});

all('table.live').forEach(function (table) {
  var body = table.tBodies[0], rows = all('tr', body), texts = null;
  all('th', table).forEach(function (th, column) {
    var b = make('button', th.textContent); b.type = 'button'; th.textContent = ''; th.appendChild(b);
    b.onclick = function () {
      var down = th.getAttribute('aria-sort') === 'ascending' ? -1 : 1;
      all('th', table).forEach(function (other) { other.removeAttribute('aria-sort'); });
      th.setAttribute('aria-sort', down > 0 ? 'ascending' : 'descending');
      var key = function (r) { return r.cells[column].textContent; };
      var order = new Intl.Collator('en', { numeric: true }).compare;
      rows.map(function (r) { return [key(r).replace(/^([\d,]+)$/, function (n) { return n.replace(/,/g, ''); }), r]; })
        .sort(function (a, b) { return down * order(a[0], b[0]); }).forEach(function (pair) { body.appendChild(pair[1]); });
    };
  });
  if (rows.length < 6) return;
  var scroll = table.parentNode, find = make('div'), label = make('label', 'Filter '), input = make('input'), count = make('output');
  find.className = 'find'; input.type = 'search'; label.appendChild(input); find.appendChild(label); find.appendChild(count);
  scroll.before(find);
  input.oninput = function () {
    texts = texts || rows.map(function (r) { return r.textContent.toLowerCase(); });
    var words = input.value.toLowerCase().split(/\s+/), shown = 0;
    rows.forEach(function (r, i) {
      r.hidden = !words.every(function (w) { return texts[i].indexOf(w) >= 0; });
      if (!r.hidden) shown++;
    });
    count.textContent = input.value ? shown + ' of ' + rows.length : '';
  };
});

function open() {
  var e = document.getElementById(decodeURIComponent(location.hash.slice(1))), target = e;
  for (; e; e = e.parentElement) if (e.tagName === 'DETAILS') e.open = true;
  if (target) target.scrollIntoView();
}
addEventListener('hashchange', open); open();
addEventListener('beforeprint', function () { all('details').forEach(function (d) { d.open = true; }); });

var save = make('button', 'Download JSON'); save.type = 'button';
save.onclick = function () {
  var a = make('a');
  a.href = URL.createObjectURL(new Blob([document.getElementById('coroner-report').textContent], { type: 'application/json' }));
  a.download = 'coroner-report.json'; a.click();
};
document.querySelector('footer').appendChild(save);
})();
