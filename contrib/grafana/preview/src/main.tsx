// The page: a dashboard, a data source and a time range from the address, drawn with Grafana's components.
import React from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router-dom';
import { CompatRouter } from 'react-router-dom-v5-compat';
import { ThemeContext, getFieldDisplayName } from '@grafana/data';
import * as i18n from '@grafana/i18n';
import { config } from '@grafana/runtime';
import { sceneGraph, VizPanel } from '@grafana/scenes';
import { GlobalStyles, PortalContainer } from '@grafana/ui';
import { toScene } from './dashboard';
import { initPlugins } from './panels';
import { PromDS } from './prom';
import { initRegistries } from './registry';
import { initRuntime } from './shim';

async function main() {
  const q = new URLSearchParams(location.search);
  await (i18n as any).initPluginTranslations('preview', []);
  initRegistries();
  initPlugins();
  initRuntime([new PromDS(q.get('ds')!, 'prometheus', 'Prometheus')], q.get('theme') === 'light' ? 'light' : 'dark');
  const theme = (config as any).theme2;
  const dash = await (await fetch(q.get('dashboard')!)).json();
  const vars: Record<string, string[]> = {};
  for (const [k, v] of q) if (k.startsWith('var-')) (vars[k.slice(4)] ??= []).push(v);
  document.body.style.background = theme.colors.background.canvas;
  document.title = dash.title;
  const scene = toScene(dash, new Date(Number(q.get('from'))), new Date(Number(q.get('to'))), vars);
  (window as any).__scene = scene;
  // what the panels hold after transformations and field config, as text and colour: the machine-checkable side of the picture
  (window as any).__report = () =>
    sceneGraph
      .findAllObjects(scene, (o) => o instanceof VizPanel)
      .map((o) => {
        const p = o as VizPanel;
        const raw = sceneGraph.getData(p).state.data;
        const d = raw ? p.applyFieldConfig(raw) : undefined;
        const names = new Set<string>();
        const frames = (d?.series ?? []).map((fr) => ({
          refId: fr.refId,
          rows: fr.length,
          fields: fr.fields.map((f) => {
            const name = getFieldDisplayName(f, fr, d!.series);
            names.add(name);
            const last = fr.length ? f.display?.(f.values[fr.length - 1]) : undefined;
            return {
              name,
              type: f.type,
              unit: f.config.unit,
              hidden: !!((f.config.custom as any)?.hidden || (f.config.custom as any)?.hideFrom?.viz),
              links: f.config.links?.length ?? 0,
              values:
                fr.length <= 50
                  ? f.values.map((v) => {
                      const x = f.display?.(v);
                      return x ? [x.text + (x.suffix ?? ''), x.color] : String(v);
                    })
                  : undefined,
              last: last ? [last.text + (last.suffix ?? ''), last.color] : undefined,
            };
          }),
        }));
        const dead = (p.state.fieldConfig.overrides ?? [])
          .filter((x: any) => x.matcher.id === 'byName' && !names.has(x.matcher.options))
          .map((x: any) => x.matcher.options);
        return {
          id: p.state.key,
          type: p.state.pluginId,
          title: p.interpolate(p.state.title),
          state: raw?.state,
          error: raw?.errors?.[0]?.message ?? raw?.error?.message,
          empty: !frames.some((f) => f.rows > 0),
          deadOverrides: dead,
          frames,
        };
      });
  const C = scene.Component as any;
  createRoot(document.getElementById('root')!).render(
    <ThemeContext.Provider value={theme}>
      <BrowserRouter>
        <CompatRouter>
          <GlobalStyles />
          <div style={{ padding: 16, color: theme.colors.text.primary }}>
            <div style={{ fontSize: 18, marginBottom: 8 }}>{dash.title}</div>
            <div style={{ position: 'relative' }}>
              <C model={scene} />
            </div>
          </div>
          <PortalContainer />
        </CompatRouter>
      </BrowserRouter>
    </ThemeContext.Provider>,
  );
}
main().catch((e) => {
  console.error(e);
  document.body.append('FATAL ' + e.stack);
});
