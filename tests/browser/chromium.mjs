// A headless Chromium with one page, spoken to over the DevTools protocol.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--hide-scrollbars', '--remote-debugging-port=0',
];

export async function launch() {
  const profile = mkdtempSync(join(tmpdir(), 'coroner-browser-'));
  const process_ = spawn(process.env.BROWSER, [...FLAGS, `--user-data-dir=${profile}`, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const address = await new Promise((resolve, reject) => {
    let said = '';
    process_.stderr.on('data', (chunk) => {
      said += chunk;
      const found = said.match(/ws:\/\/\S+/);
      if (found) resolve(found[0]);
    });
    process_.on('exit', () => reject(new Error(`the browser did not start: ${said}`)));
  });
  const targets = await (await fetch(`http://${new URL(address).host}/json`)).json();
  const page = await connect(targets.find((target) => target.type === 'page').webSocketDebuggerUrl);
  const close = async () => {
    page.socket.close();
    const gone = new Promise((resolve) => process_.on('exit', resolve));
    process_.kill();
    await gone;
    rmSync(profile, { recursive: true, force: true });
  };
  return { page, close };
}

async function connect(address) {
  const socket = new WebSocket(address);
  await new Promise((resolve) => { socket.onopen = resolve; });
  const waiting = new Map();
  const page = { socket, events: [], listeners: [] };
  let last = 0;
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.id) waiting.get(message.id)(message);
    else {
      page.events.push(message);
      page.listeners.forEach((listen) => listen(message));
    }
  };
  page.send = (method, params = {}) => new Promise((resolve, reject) => {
    last += 1;
    waiting.set(last, ({ result, error }) => (error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result)));
    socket.send(JSON.stringify({ id: last, method, params }));
  });
  page.once = (method) => new Promise((resolve) => {
    const listen = (message) => {
      if (message.method !== method) return;
      page.listeners.splice(page.listeners.indexOf(listen), 1);
      resolve(message.params);
    };
    page.listeners.push(listen);
  });
  page.run = async (expression) => {
    const { result, exceptionDetails } = await page.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true, userGesture: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  page.open = async (url) => {
    const loaded = page.once('Page.loadEventFired');
    page.events.length = 0;
    await page.send('Page.navigate', { url });
    await loaded;
  };
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await page.send(`${domain}.enable`);
  return page;
}
