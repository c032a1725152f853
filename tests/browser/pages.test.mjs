// `node pages.test.mjs DIR`: what a person and a reader's aid meet in the pages of DIR. See `run`.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { launch } from './chromium.mjs';

const dir = resolve(process.argv[2]);
const url = (name) => pathToFileURL(join(dir, `${name}.html`)).href;
const AXE = readFileSync(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const PAGES = ['root-cause', 'two-incidents', 'inconclusive', 'healthy', 'hostile'];
const WIDTHS = [1280, 768, 400];

const { page, close } = await launch();
const look = (width, scheme) => Promise.all([
  page.send('Emulation.setDeviceMetricsOverride', { width, height: 800, deviceScaleFactor: 1, mobile: width < 600 }),
  page.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] }),
]);
const texts = (css) => page.run(`[...document.querySelectorAll(${JSON.stringify(css)})].map((e) => e.textContent)`);

/** Nothing was asked of the network, and nothing was complained about. */
function assertQuiet(name) {
  const asked = page.events.filter((e) => e.method === 'Network.requestWillBeSent').map((e) => e.params.request.url);
  assert.deepEqual(asked.filter((u) => u.split('#')[0] !== url(name)), [], `${name}: requests`);
  const said = page.events.filter((e) => ['Runtime.exceptionThrown', 'Runtime.consoleAPICalled', 'Log.entryAdded'].includes(e.method));
  assert.deepEqual(said.map((e) => JSON.stringify(e.params)), [], `${name}: console`);
}

const tests = {
  async 'every page is accessible, quiet and as wide as its window'() {
    for (const name of PAGES) {
      for (const scheme of ['light', 'dark']) {
        for (const width of WIDTHS) {
          await look(width, scheme);
          await page.open(url(name));
          const where = `${name} ${scheme} ${width}`;
          assert.ok(await page.run('document.documentElement.scrollWidth <= innerWidth'), `${where}: scrolls sideways`);
          await page.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })");
          await page.run(AXE);
          const { violations } = await page.run(`axe.run({ runOnly: ${JSON.stringify(TAGS)} })`);
          assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).slice(0, 3).join(' ')}`), [], where);
          assertQuiet(name);
        }
      }
    }
  },

  async 'nothing hostile runs'() {
    await page.open(url('hostile'));
    assert.ok((await page.run('document.title')).startsWith('Root cause: <script>'), 'the title is the text, and no script changed it');
    assert.equal(await page.run("document.querySelectorAll('script').length"), 2);
    assert.equal(await page.run("document.querySelectorAll('iframe,img,object,embed,form,base,link,b b,i').length"), 0);
    assert.equal(await page.run("[...document.querySelectorAll('*')].filter((e) => [...e.attributes].some((a) => /^on|^style$/.test(a.name))).length"), 0);
    const links = await page.run("[...document.querySelectorAll('a')].map((a) => a.getAttribute('href')).filter((h) => !h.startsWith('#'))");
    assert.deepEqual(links.filter((h) => !/^https:/.test(h)), []);
  },

  async 'the policy refuses what the escaper would let through'() {
    const name = 'injected';
    const attack = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"><p style=\"color:red\" id=styled>x</p>";
    writeFileSync(join(dir, `${name}.html`), readFileSync(join(dir, 'healthy.html'), 'utf8').replace('<main>', `<main>${attack}`));
    await page.open(url(name));
    assert.notEqual(await page.run('document.title'), 'owned');
    assert.notEqual(await page.run("getComputedStyle(document.getElementById('styled')).color"), 'rgb(255, 0, 0)');
  },

  async 'the first screen holds the verdict, the object and the fix'() {
    await look(1280, 'light');
    await page.open(url('root-cause'));
    const bottom = (css) => page.run(`document.querySelector(${JSON.stringify(css)}).getBoundingClientRect().bottom`);
    assert.ok(await bottom('#verdict') < 800 && await bottom('#fix p') < 800);
    await look(400, 'light');
    await page.open(url('root-cause'));
    assert.ok(await bottom('#fix p') < 1600, 'two screens of a phone');
  },

  async 'tables filter and sort'() {
    await look(1280, 'light');
    await page.open(url('root-cause'));
    const shown = () => page.run("[...document.querySelectorAll('#affected tbody tr')].filter((r) => !r.hidden).map((r) => r.cells[2].textContent)");
    const all = await shown();
    await page.run("{ const i = document.querySelector('#affected input'); i.value = 'runner FJ6'; i.dispatchEvent(new Event('input')); }");
    assert.deepEqual(await shown(), ['build-set-7kx2m-runner-fj6nn']);
    assert.equal(await page.run("document.querySelector('#affected output').textContent"), `1 of ${all.length}`);
    await page.run("{ const i = document.querySelector('#affected input'); i.value = ''; i.dispatchEvent(new Event('input')); }");
    await page.run("document.querySelectorAll('#affected th button')[2].click()");
    assert.deepEqual(await shown(), [...all].sort());
    assert.equal(await page.run("document.querySelectorAll('#affected th')[2].ariaSort"), 'ascending');
    await page.run("document.querySelectorAll('#affected th button')[2].click()");
    assert.deepEqual(await shown(), [...all].sort().reverse());
  },

  async 'a copied diff is the new text'() {
    await page.open(url('root-cause'));
    await page.send('Browser.grantPermissions', { permissions: ['clipboardReadWrite', 'clipboardSanitizedWrite'] });
    await page.send('Page.bringToFront');
    await page.run("document.querySelector('.diff + button').click()");
    await page.run('new Promise((done) => setTimeout(done, 100))');
    const copied = await page.run('navigator.clipboard.readText()');
    assert.match(copied, /^ {2}restartPolicy: Always$/m);
    assert.doesNotMatch(copied, /OnFailure|^[+-] {2}/m);
    assert.match(await page.run("document.querySelector('[role=status]').textContent"), /Copied/);
  },

  async 'a deep link opens what it leads to'() {
    await page.open('about:blank');
    await page.open(`${url('root-cause')}#f0e5`);
    assert.equal(await page.run("document.getElementById('f0e5').open"), true);
    await page.run("location.hash = '#f1'");
    await page.run('new Promise((done) => setTimeout(done, 100))');
    assert.equal(await page.run("document.getElementById('f1').open"), true);
  },

  async 'every link inside the page leads somewhere'() {
    for (const name of PAGES) {
      await page.open(url(name));
      const dead = await page.run("[...document.querySelectorAll('a[href^=\"#\"]')].map((a) => a.hash.slice(1)).filter((id) => !document.getElementById(id))");
      assert.deepEqual(dead, [], name);
      const twice = await page.run("{ const ids = [...document.querySelectorAll('[id]')].map((e) => e.id); ids.filter((id, i) => ids.indexOf(id) !== i) }");
      assert.deepEqual(twice, [], name);
    }
  },

  async 'nothing is lost without script'() {
    await page.open(url('root-cause'));
    const words = (await texts('main')).join().replace(/\s+|Copy|Filter/g, '');
    await page.send('Emulation.setScriptExecutionDisabled', { value: true });
    await page.open(url('root-cause'));
    const { root } = await page.send('DOM.getDocument', { depth: -1 });
    const { nodeId } = await page.send('DOM.querySelector', { nodeId: root.nodeId, selector: 'main' });
    const { outerHTML } = await page.send('DOM.getOuterHTML', { nodeId });
    await page.send('Emulation.setScriptExecutionDisabled', { value: false });
    assert.ok(!outerHTML.includes('<button'), 'no dead button');
    await page.open('about:blank');
    const plain = await page.run(`new DOMParser().parseFromString(${JSON.stringify(outerHTML)}, 'text/html').body.textContent.replace(/\\s+|Copy|Filter/g, '')`);
    assert.equal(plain, words);
  },

  async 'print shows what is folded'() {
    await look(1280, 'dark');
    await page.open(url('root-cause'));
    const { data } = await page.send('Page.printToPDF', { printBackground: false });
    const file = join(dir, 'root-cause.pdf');
    writeFileSync(file, Buffer.from(data, 'base64'));
    let text;
    try {
      text = execFileSync('pdftotext', ['-layout', file, '-'], { encoding: 'utf8' });
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
      console.log('  pdftotext is not here: the text of the print was not looked at');
      return;
    }
    for (const folded of ['it explains 3 of 3 symptoms', 'the controller log shows the count', 'Ephemeral runner counts', 'path: /spec/template', 'passed its memory limit', 'What happened', 'Because of']) {
      assert.ok(text.includes(folded), `print lacks: ${folded}`);
    }
  },

  async 'five thousand objects load, and what was cut is said'() {
    await look(1280, 'light');
    await page.open(url('many'));
    const { domContentLoadedEventEnd, loadEventEnd } = await page.run('performance.getEntriesByType("navigation")[0].toJSON()');
    console.log(`  ready after ${Math.round(domContentLoadedEventEnd)} ms, loaded after ${Math.round(loadEventEnd)} ms`);
    assert.equal(await page.run("document.querySelectorAll('#affected tbody tr').length"), 2000);
    assert.match((await texts('#affected .cut')).join(), /2,000 of 5,00\d resources/);
    assert.ok(await page.run("document.querySelectorAll('.box > button').length > 3"), 'the script has run');
    assertQuiet('many');
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    await test();
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n${error.stack}`);
  }
}
await close();
process.exit(failed ? 1 : 0);
