// The dashboard types that Grafana publishes, tied together: each panel type gets its own options and field
// configuration, each override its own value type. A dashboard that Grafana would silently bend is refused by tsc.
import type * as D from '@grafana/schema/dist/esm/raw/dashboard/x/Dashboard_types.gen';
import type * as Stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as Table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as TimeSeries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
import type * as BarGauge from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type * as StateTimeline from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';

// JSON holds the text of an enum, not the enum.
type Literal<T> = T extends string
  ? `${T}`
  : T extends number | boolean | null | undefined
    ? T
    : T extends Array<infer U>
      ? Array<Literal<U>>
      : T extends object
        ? { [K in keyof T]: Literal<T[K]> }
        : T;

interface PrometheusQuery {
  refId: string;
  expr: string;
  datasource: { type: 'prometheus'; uid: string };
  editorMode?: 'code' | 'builder';
  format?: 'time_series' | 'table' | 'heatmap';
  instant?: boolean;
  range?: boolean;
  legendFormat?: string;
  interval?: string;
}

interface DataLink {
  title: string;
  url: string;
  targetBlank?: boolean;
}

type TableProperty =
  | { id: 'custom.cellOptions'; value: NonNullable<Table.FieldConfig['cellOptions']> }
  | { id: 'custom.width'; value: number }
  | { id: 'custom.align'; value: 'auto' | 'left' | 'center' | 'right' };

type GraphProperty =
  | { id: 'custom.fillOpacity'; value: number }
  | { id: 'custom.lineStyle'; value: NonNullable<TimeSeries.FieldConfig['lineStyle']> };

type Property<Own> =
  | { id: 'unit' | 'displayName' | 'noValue' | 'description'; value: string }
  | { id: 'decimals' | 'min' | 'max'; value: number }
  | { id: 'links'; value: DataLink[] }
  | { id: 'mappings'; value: D.ValueMapping[] }
  | { id: 'thresholds'; value: D.ThresholdsConfig }
  | { id: 'color'; value: D.FieldColor }
  | Own;

interface FieldConfiguration<Custom, Own> {
  defaults: Omit<D.FieldConfig, 'custom' | 'links'> & { custom?: Partial<Custom>; links?: DataLink[] };
  overrides: Array<{ matcher: { id: 'byName' | 'byRegexp'; options: string }; properties: Array<Property<Own>> }>;
}

type Transformation =
  | { id: 'merge'; options: Record<string, never> }
  | {
      id: 'organize';
      options: {
        excludeByName: Record<string, boolean>;
        indexByName: Record<string, number>;
        renameByName: Record<string, string>;
      };
    }
  | {
      id: 'groupingToMatrix';
      options: { columnField: string; rowField: string; valueField: string; emptyValue: 'null' | 'empty' | 'zero' };
    };

type Panel<Type extends string, Options, Custom, Own = never> = Omit<
  D.Panel,
  'type' | 'options' | 'fieldConfig' | 'targets' | 'id' | 'gridPos' | 'title' | 'transformations'
> & {
  id: number;
  title: string;
  gridPos: D.GridPos;
  type: Type;
  options: Partial<Options>;
  fieldConfig: FieldConfiguration<Custom, Own>;
  targets: PrometheusQuery[];
  transformations?: Transformation[];
};

type None = Record<string, never>;

type AnyPanel =
  | Panel<'stat', Stat.Options, None>
  | Panel<'table', Table.Options, Table.FieldConfig, TableProperty>
  | Panel<'timeseries', TimeSeries.Options, TimeSeries.FieldConfig, GraphProperty>
  | Panel<'bargauge', BarGauge.Options, None>
  | Panel<'state-timeline', StateTimeline.Options, StateTimeline.FieldConfig>;

type Row = Omit<D.RowPanel, 'panels'> & { panels: AnyPanel[] };

// Grafana itself writes `definition`, and an empty `current` for data source variables; the published type knows neither.
type Variable = Omit<D.VariableModel, 'current' | 'options'> & {
  definition?: string;
  options?: D.VariableOption[];
  current?: D.VariableOption | None;
};

// Annotations are queries too; the published type leaves their Prometheus members out.
type Annotation = D.AnnotationQuery & {
  expr?: string;
  titleFormat?: string;
  textFormat?: string;
  useValueForTime?: boolean;
};

interface StrictDashboard extends Omit<
  D.Dashboard,
  'panels' | 'templating' | 'annotations' | 'uid' | 'title' | 'id' | 'gnetId'
> {
  __requires: Array<{ type: 'grafana' | 'datasource' | 'panel'; id: string; name: string; version: string }>;
  annotations: { list: Annotation[] };
  templating: { list: Variable[] };
  uid: string;
  title: string;
  id: null;
  panels: Array<AnyPanel | Row>;
}

export type Dashboard = Literal<StrictDashboard>;
