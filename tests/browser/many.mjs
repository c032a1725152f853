// A report on as many affected objects as asked for: `node many.mjs SAMPLE.json COUNT`.
import { readFileSync } from 'node:fs';

const [sample, count] = process.argv.slice(2);
const report = JSON.parse(readFileSync(sample, 'utf8'));
const pod = (i) => ({ api_version: 'v1', kind: 'Pod', namespace: `team-${i % 40}`, name: `worker-${i}-7kx2m` });
report.findings[0].affected = Array.from({ length: Number(count) }, (_, i) => pod(i));
report.symptoms = report.findings[0].affected.map((resource, i) => ({
  id: `s${i + 1}`, resource, what: 'phase Failed, reason InvalidPod', since: '2024-11-05T07:52:39Z', explained_by: [0],
}));
process.stdout.write(JSON.stringify(report));
