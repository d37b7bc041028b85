// Dashboard JSON becomes a scene. Only what these dashboards use; what is not understood is named in window.__unsupported.
import {
  DataSourceVariable,
  EmbeddedScene,
  QueryVariable,
  SceneControlsSpacer,
  SceneDataTransformer,
  SceneGridItem,
  SceneGridLayout,
  SceneGridRow,
  SceneQueryRunner,
  SceneRefreshPicker,
  SceneTimePicker,
  SceneTimeRange,
  SceneVariableSet,
  VariableValueSelectors,
  VizPanel,
} from '@grafana/scenes';
import { plugins } from './panels';

const unsupported: string[] = ((window as any).__unsupported = []);

function variable(json: any, given: string[] | undefined) {
  const value = given ? (json.multi ? given : given[0]) : json.current?.value;
  const text = given ? value : json.current?.text;
  const common = {
    name: json.name,
    label: json.label,
    isMulti: json.multi,
    includeAll: json.includeAll,
    allValue: json.allValue || undefined,
    defaultToAll: Boolean(json.includeAll),
    regex: json.regex,
    ...(value === undefined ? {} : { value, text }),
  };
  switch (json.type) {
    case 'datasource':
      return new DataSourceVariable({ ...common, pluginId: json.query });
    case 'query':
      return new QueryVariable({
        ...common,
        query: json.query,
        datasource: json.datasource,
        sort: json.sort,
        refresh: json.refresh,
      } as any);
    default:
      unsupported.push(`variable ${json.name}: type ${json.type}`);
      return null;
  }
}

function panel(json: any) {
  if (!plugins[json.type]) unsupported.push(`panel ${json.id} "${json.title}": type ${json.type}`);
  if (json.repeat) unsupported.push(`panel ${json.id} "${json.title}": repeat`);
  const queries = new SceneQueryRunner({ datasource: json.datasource, queries: json.targets });
  return new SceneGridItem({
    x: json.gridPos.x,
    y: json.gridPos.y,
    width: json.gridPos.w,
    height: json.gridPos.h,
    isResizable: false,
    isDraggable: false,
    body: new VizPanel({
      key: `panel-${json.id}`,
      title: json.title,
      description: json.description,
      pluginId: json.type,
      options: json.options,
      fieldConfig: json.fieldConfig,
      $data: json.transformations
        ? new SceneDataTransformer({ $data: queries, transformations: json.transformations })
        : queries,
    } as any),
  });
}

// Panels belong to the row above them.
function grid(panels: any[]) {
  const children: any[] = [];
  let row: any = null;
  for (const json of panels) {
    if (json.type === 'row') {
      row = new SceneGridRow({ key: `panel-${json.id}`, title: json.title, x: 0, y: json.gridPos.y, children: [] });
      children.push(row);
    } else if (row) {
      row.setState({ children: [...row.state.children, panel(json)] });
    } else {
      children.push(panel(json));
    }
  }
  return children;
}

export function toScene(json: any, from: Date, to: Date, given: Record<string, string[]>) {
  const variables = json.templating.list.map((v: any) => variable(v, given[v.name])).filter(Boolean);
  return new EmbeddedScene({
    $timeRange: new SceneTimeRange({ from: from.toISOString(), to: to.toISOString(), timeZone: 'utc' }),
    $variables: new SceneVariableSet({ variables }),
    controls: [
      new VariableValueSelectors({}),
      new SceneControlsSpacer(),
      new SceneTimePicker({}),
      new SceneRefreshPicker({ refresh: json.refresh }),
    ],
    body: new SceneGridLayout({ isLazy: false, children: grid(json.panels) }),
  });
}
