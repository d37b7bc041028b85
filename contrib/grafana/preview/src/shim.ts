// The smallest Grafana runtime that @grafana/scenes and @grafana/ui need.
import {
  setDataSourceSrv,
  setRunRequest,
  setPluginImportUtils,
  setBackendSrv,
  setAppEvents,
  setTemplateSrv,
  config,
  setEchoSrv,
} from '@grafana/runtime';
import { EventBusSrv, toDataFrame, LoadingState, createTheme } from '@grafana/data';
import { from, map, startWith, catchError, of } from 'rxjs';
import { sceneGraph } from '@grafana/scenes';
import { plugins } from './panels';
import { PromDS } from './prom';

const interp = (s: any, sv?: any, fmt?: any) => {
  if (typeof s !== 'string') return s ?? '';
  const o = sv?.__sceneObject?.value?.valueOf?.() ?? (window as any).__scene;
  return o ? sceneGraph.interpolate(o, s, sv, fmt) : s;
};

export function initRuntime(dss: PromDS[], themeMode: 'dark' | 'light') {
  (config as any).theme2 = createTheme({ colors: { mode: themeMode } });
  (config as any).theme = (config as any).theme2.v1;
  (config as any).featureToggles = {};
  (config as any).panels = Object.fromEntries(
    Object.entries(plugins).map(([id, p]) => [
      id,
      { id, name: id, skipDataQuery: false, state: '', sort: 1, info: {}, module: '' },
    ]),
  );
  (config as any).bootData = { user: { timezone: 'utc', locale: 'en-US' }, settings: {} };
  setAppEvents(new EventBusSrv() as any);
  setEchoSrv({ addEvent() {}, flush() {}, addBackend() {} } as any);
  const settings = dss.map((d, i) => ({
    uid: d.uid,
    name: (d as any).name,
    type: 'prometheus',
    isDefault: i === 0,
    meta: { id: 'prometheus', name: 'Prometheus', annotations: true, info: { logos: {} } },
    jsonData: {},
    access: 'proxy',
    readOnly: false,
  }));
  const find = (ref: any, sv?: any) => {
    const r = interp(typeof ref === 'string' ? ref : ref?.uid, sv);
    if (!r || r === 'default') return 0;
    const i = settings.findIndex((s) => s.uid === r || s.name === r);
    return i;
  };
  setDataSourceSrv({
    get: async (ref: any, sv?: any) => {
      const i = find(ref, sv);
      if (i < 0) {
        throw new Error(`Datasource ${JSON.stringify(ref)} was not found`);
      }
      return dss[i] as any;
    },
    getList: (f: any = {}) =>
      settings.filter((s) => !f.pluginId || s.type === f.pluginId || f.pluginId.test?.(s.type)) as any,
    getInstanceSettings: (ref: any, sv?: any) => settings[find(ref, sv)] as any,
    reload() {},
    registerRuntimeDataSource() {},
  } as any);
  setPluginImportUtils({
    importPanelPlugin: async (id: string) => {
      const p = plugins[id];
      if (!p) throw new Error('no panel plugin ' + id);
      return p;
    },
    getPanelPluginFromCache: (id: string) => plugins[id],
  } as any);
  setBackendSrv({
    fetch: () => of({ data: {} }),
    get: async () => ({}),
    post: async () => ({}),
    datasourceRequest: async () => ({}),
  } as any);
  setTemplateSrv({
    replace: interp,
    getVariables: () => [],
    containsTemplate: (s: string) => /\$/.test(s ?? ''),
    updateTimeRange() {},
    getAdhocFilters: () => [],
  } as any);
  setRunRequest(((ds: any, request: any) =>
    from(ds.query(request) as Promise<any>).pipe(
      map((r: any) => ({
        state: r.error ? LoadingState.Error : LoadingState.Done,
        series: r.data.map(toDataFrame),
        errors: r.errors,
        error: r.error,
        request,
        timeRange: request.range,
        annotations: [],
      })),
      catchError((e) =>
        of({ state: LoadingState.Error, series: [], error: { message: e.message }, request, timeRange: request.range }),
      ),
      startWith({ state: LoadingState.Loading, series: [], request, timeRange: request.range } as any),
    )) as any);
}
