// Holds the dashboards to Grafana's published types with tsc, and shows that tsc refuses broken ones.
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const folder = path.join(here, '..', 'dashboards');
const read = (file) => JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8'));
const table = (d) => d.panels.find((panel) => panel.type === 'table');

const mistakes = {
  'a panel type that does not exist': (d) => {
    d.panels[0].type = 'clock';
  },
  'an unknown cell type': (d) => {
    table(d).fieldConfig.overrides.push({
      matcher: { id: 'byName', options: 'x' },
      properties: [{ id: 'custom.cellOptions', value: { type: 'rainbow' } }],
    });
  },
  'an option that the panel does not have': (d) => {
    table(d).options.colorMode = 'value';
  },
  'thresholds without a mode': (d) => {
    delete d.panels[0].fieldConfig.defaults.thresholds.mode;
  },
  'a position as text': (d) => {
    d.panels[0].gridPos.w = '4';
  },
  'a query format that does not exist': (d) => {
    table(d).targets[0].format = 'tabel';
  },
};

const probes = fs.readdirSync(folder).map((file) => ({ what: file, dashboard: read(file), good: true }));
for (const [what, breakIt] of Object.entries(mistakes)) {
  const dashboard = read('sqlbak-fleet.json');
  breakIt(dashboard);
  probes.push({ what, dashboard, good: false });
}

let bad = 0;
const scratch = fs.mkdtempSync(path.join(here, '.probe-'));
try {
  probes.forEach(({ dashboard }, number) => {
    const text = JSON.stringify(dashboard, null, 1);
    fs.writeFileSync(
      path.join(scratch, `probe${number}.ts`),
      `import type { Dashboard } from '../strict';\nexport const d = ${text} satisfies Dashboard;\n`,
    );
  });
  // One run for all of them: most of its time goes into Grafana's types.
  const tsc = path.join(here, 'node_modules/typescript/bin/tsc');
  const options = '--strict --noEmit --skipLibCheck --module esnext --moduleResolution bundler --target es2022'.split(' ');
  const files = probes.map((_, number) => path.join(scratch, `probe${number}.ts`));
  const said = spawnSync('node', [tsc, ...options, ...files], { encoding: 'utf8', cwd: here }).stdout;
  // What is not about a probe, such as a missing module, is about all of them.
  const lines = said.split('\n').filter((line) => /error TS/.test(line));
  const foreign = lines.filter((line) => !/probe\d+\.ts\(/.test(line));
  if (foreign.length) {
    bad++;
    console.log(foreign.join('\n'));
  }
  probes.forEach(({ what, good }, number) => {
    const refusals = lines.filter((line) => line.includes(`probe${number}.ts(`)).map((line) => line.slice(0, 400));
    if (good === refusals.length > 0) bad++;
    if (good) console.log(refusals.length ? `${what}: refused\n${refusals.slice(0, 8).join('\n')}` : `${what}: ok`);
    else console.log(`${refusals.length ? 'refused, as it should be' : 'ACCEPTED'}: ${what}`);
  });
} finally {
  fs.rmSync(scratch, { recursive: true });
}
process.exit(bad ? 1 : 0);
