// Holds the dashboards to Grafana's published types with tsc, and shows that tsc refuses broken ones.
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';

const here = import.meta.dirname;
const folder = path.join(here, '..', 'dashboards');
const scratch = fs.mkdtempSync(path.join(here, '.probe-'));

function refusals(dashboard) {
  const probe = path.join(scratch, 'probe.ts');
  fs.writeFileSync(
    probe,
    `import type { Dashboard } from '../strict';\nexport const d = ${JSON.stringify(dashboard, null, 1)} satisfies Dashboard;\n`,
  );
  const done = spawnSync(
    'node',
    [
      path.join(here, 'node_modules/typescript/bin/tsc'),
      '--strict',
      '--noEmit',
      '--skipLibCheck',
      '--module',
      'esnext',
      '--moduleResolution',
      'bundler',
      '--target',
      'es2022',
      probe,
    ],
    { encoding: 'utf8' },
  );
  return done.status === 0
    ? ''
    : done.stdout
        .split('\n')
        .slice(0, 8)
        .map((line) => line.slice(0, 400))
        .join('\n');
}

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
const table = (d) => d.panels.find((panel) => panel.type === 'table');

let bad = 0;
try {
  for (const file of fs.readdirSync(folder)) {
    const what = refusals(JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8')));
    if (what) bad++;
    console.log(what ? `${file}: refused\n${what}` : `${file}: ok`);
  }
  for (const [what, breakIt] of Object.entries(mistakes)) {
    const dashboard = JSON.parse(fs.readFileSync(path.join(folder, 'sqlbak-fleet.json'), 'utf8'));
    breakIt(dashboard);
    const refused = refusals(dashboard) !== '';
    if (!refused) bad++;
    console.log(`${refused ? 'refused, as it should be' : 'ACCEPTED'}: ${what}`);
  }
} finally {
  fs.rmSync(scratch, { recursive: true });
}
process.exit(bad ? 1 : 0);
