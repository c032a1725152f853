// A picture of a page: `node picture.mjs PAGE.html OUT.png [WIDTH] [HEIGHT] [light|dark]`; without a height all of it.
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { launch } from './chromium.mjs';

const [input, output, width = '1100', height = '0', scheme = 'light'] = process.argv.slice(2);
const { page, close } = await launch();
const size = (tall) => page.send('Emulation.setDeviceMetricsOverride', { width: Number(width), height: tall, deviceScaleFactor: 1, mobile: width < 600 });
await page.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
await size(Number(height) || 800);
await page.open(pathToFileURL(resolve(input)).href);
if (!Number(height)) await size(await page.run('document.documentElement.scrollHeight'));
const { data } = await page.send('Page.captureScreenshot', { format: 'png' });
writeFileSync(output, Buffer.from(data, 'base64'));
await close();
