// A runtime data source that answers like Grafana's Prometheus data source (frame shapes of the Go backend + transformV2), straight from the HTTP API.
import {
  DataQueryRequest,
  DataQueryResponse,
  FieldType,
  createDataFrame,
  rangeUtil,
  getDefaultTimeRange,
  MetricFindValue,
} from '@grafana/data';
import { RuntimeDataSource } from '@grafana/scenes';
import { getTemplateSrv } from '@grafana/runtime';
import { sceneUtils, sceneGraph } from '@grafana/scenes';
export const log: { panel?: unknown; expr: string; url: string; series?: number; error?: string }[] = ((
  window as any
).__queries = []);
const num = (s: string) => (s === '+Inf' ? Infinity : s === '-Inf' ? -Infinity : s === 'NaN' ? NaN : Number(s));
const labelStr = (m: any) => {
  const { __name__: n, ...l } = m;
  const k = Object.keys(l).sort();
  return (n ?? '') + (k.length || !n ? `{${k.map((x) => `${x}="${l[x]}"`).join(', ')}}` : '');
};
const esc = (v: string) => v.replace(/\\/g, '\\\\').replace(/'/g, "\\\\'");
const reEsc = (v: string) => v.replace(/\\/g, '\\\\\\\\').replace(/[$^*{}\[\]\'+?.()|]/g, '\\\\$&');
export const interpolateQueryExpr = (value: any, variable: any) => {
  // same rule as PrometheusDatasource.interpolateQueryExpr
  if (!variable.multi && !variable.includeAll) return typeof value === 'string' ? esc(value) : value;
  if (typeof value === 'string') return reEsc(value);
  const v = value.map(reEsc);
  return v.length === 1 ? v[0] : '(' + v.join('|') + ')';
};
export class PromDS extends RuntimeDataSource<any> {
  constructor(
    public base: string,
    uid: string,
    name: string,
    public scrape = 15,
  ) {
    super('prometheus', uid);
    (this as any).name = name;
    (this as any).interval = '15s';
  }
  async get(path: string, p: Record<string, any>) {
    const url =
      `${this.base}/api/v1/${path}?` + new URLSearchParams(Object.entries(p).filter(([, v]) => v !== undefined) as any);
    const r = await fetch(url);
    const j = await r.json();
    if (j.status !== 'success') throw new Error(j.error);
    return { j, url };
  }
  macros(expr: string, req: DataQueryRequest, stepS: number, scrape: number) {
    const rangeS = Math.round((req.range.to.valueOf() - req.range.from.valueOf()) / 1000);
    const ri = Math.max(stepS + scrape, 4 * scrape);
    return expr
      .replace(/\$\{?__rate_interval\}?/g, `${ri}s`)
      .replace(/\$\{?__interval_ms\}?/g, String(stepS * 1000))
      .replace(/\$\{?__interval\}?/g, `${stepS}s`)
      .replace(/\$\{?__range_s\}?/g, String(rangeS))
      .replace(/\$\{?__range_ms\}?/g, String(rangeS * 1000))
      .replace(/\$\{?__range\}?/g, `${rangeS}s`);
  }
  async query(req: DataQueryRequest<any>): Promise<DataQueryResponse> {
    const data: any[] = [];
    const targets = req.targets.filter((t) => !t.hide);
    const errors: any[] = [];
    const tableRefs = new Set(targets.filter((t) => t.format === 'table').map((t) => t.refId));
    await Promise.all(
      targets.map(async (t, ti) => {
        const minStep = t.interval
          ? rangeUtil.intervalToSeconds(getTemplateSrv().replace(t.interval, req.scopedVars))
          : 0;
        const step = Math.max(
          Math.ceil((req.intervalMs ?? 15000) / 1000) * (t.intervalFactor || 1),
          minStep || this.scrape,
          1,
        );
        const tpl = sceneGraph.interpolate(
          (req.scopedVars as any).__sceneObject.value.valueOf(),
          t.expr,
          {
            ...req.scopedVars,
            __interval: { value: '$__interval' },
            __interval_ms: { value: '$__interval_ms' },
            __range: { value: '$__range' },
            __range_s: { value: '$__range_s' },
            __range_ms: { value: '$__range_ms' },
            __rate_interval: { value: '$__rate_interval' },
          } as any,
          interpolateQueryExpr as any,
        );
        const expr = this.macros(tpl, req, step, minStep || this.scrape);
        const from = Math.floor(req.range.from.valueOf() / 1000 / step) * step,
          to = Math.floor(req.range.to.valueOf() / 1000 / step) * step;
        const entry: any = { panel: req.panelId, refId: t.refId, raw: t.expr, expr, instant: !!t.instant };
        log.push(entry);
        try {
          const { j, url } = t.instant
            ? await this.get('query', { query: expr, time: req.range.to.valueOf() / 1000 })
            : await this.get('query_range', { query: expr, start: from, end: to, step });
          entry.url = url;
          const rs = j.data.resultType === 'scalar' ? [{ metric: {}, value: j.data.result }] : j.data.result;
          entry.series = rs.length;
          const frames = rs.map((s: any) => ({ m: s.metric, v: (s.values ?? [s.value]) as [number, string][] }));
          if (t.format === 'table') {
            const labels = [...new Set(frames.flatMap((f: any) => Object.keys(f.m)))].sort() as string[];
            const rows = frames.flatMap((f: any) => f.v.map(([ts, v]: any) => ({ ts, v, m: f.m })));
            data[ti] = [
              createDataFrame({
                refId: t.refId,
                meta: { preferredVisualisationType: 'rawPrometheus' as any, executedQueryString: expr },
                fields: [
                  { name: 'Time', type: FieldType.time, values: rows.map((r: any) => r.ts * 1000), config: {} },
                  ...labels.map((l) => ({
                    name: l,
                    type: FieldType.string,
                    config: { filterable: true },
                    values: rows.map((r: any) => r.m[l] ?? ''),
                  })),
                  {
                    name: tableRefs.size > 1 ? `Value #${t.refId}` : 'Value',
                    type: FieldType.number,
                    config: {},
                    values: rows.map((r: any) => num(r.v)),
                  },
                ],
              }),
            ];
          } else
            data[ti] = frames.map((f: any) => {
              let name: string | undefined;
              if (!t.legendFormat) name = labelStr(f.m);
              else if (t.legendFormat === '__auto') name = Object.keys(f.m).length ? undefined : expr;
              else name = t.legendFormat.replace(/\{\{\s*(.+?)\s*\}\}/g, (_: any, k: string) => f.m[k] ?? '');
              if (name === '{}') name = expr;
              const { __name__, ...labels } = f.m;
              const byT = new Map(f.v.map(([ts, v]: any) => [ts, num(v)]));
              const times = t.instant ? f.v.map(([ts]: any) => ts) : f.v.map(([ts]: any) => ts);
              return createDataFrame({
                refId: t.refId,
                name,
                meta: { type: 'timeseries-multi' as any, executedQueryString: expr },
                fields: [
                  {
                    name: 'Time',
                    type: FieldType.time,
                    config: { interval: step * 1000 },
                    values: times.map((x: number) => x * 1000),
                  },
                  {
                    name: 'Value',
                    type: FieldType.number,
                    labels: f.m,
                    config: name ? { displayNameFromDS: name } : {},
                    values: times.map((x: number) => byT.get(x)),
                  },
                ],
              });
            });
        } catch (e: any) {
          entry.error = e.message;
          errors.push({ refId: t.refId, message: e.message });
        }
      }),
    );
    return { data: data.flat().filter(Boolean), errors: errors.length ? errors : undefined, error: errors[0] } as any;
  }
  async metricFindQuery(q: any, opts: any): Promise<MetricFindValue[]> {
    const s: string = typeof q === 'string' ? q : q.query;
    const range = opts?.range ?? getDefaultTimeRange();
    const p = { start: Math.floor(range.from.valueOf() / 1000), end: Math.ceil(range.to.valueOf() / 1000) };
    const str = opts?.scopedVars?.__sceneObject
      ? sceneGraph.interpolate(
          opts.scopedVars.__sceneObject.value.valueOf(),
          s,
          opts.scopedVars,
          interpolateQueryExpr as any,
        )
      : s;
    let m = str.match(/^label_values\((?:(.+),\s*)?([a-zA-Z_$][a-zA-Z0-9_]*)\)\s*$/s);
    const entry: any = { variable: s, expr: str };
    log.push(entry);
    if (m) {
      const { j } = await this.get(`label/${m[2]}/values`, { ...p, 'match[]': m[1]?.trim() });
      entry.series = j.data.length;
      return j.data.map((text: string) => ({ text }));
    }
    m = str.match(/^query_result\((.+)\)\s*$/s);
    if (m) {
      const { j } = await this.get('query', { query: m[1], time: p.end });
      entry.series = j.data.result.length;
      return j.data.result.map((r: any) => ({ text: `${labelStr(r.metric)} ${r.value[1]} ${r.value[0] * 1000}` }));
    }
    throw new Error('unsupported variable query ' + s);
  }
  testDatasource() {
    return Promise.resolve({ status: 'success', message: 'ok' });
  }
}
