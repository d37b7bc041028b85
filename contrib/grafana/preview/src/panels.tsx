// Thin panel plugins: Grafana's own components from @grafana/ui, with the option handling of the core panels.
import React from 'react';
import {
  PanelPlugin,
  PanelProps,
  getFieldDisplayValues,
  FieldColorModeId,
  VizOrientation,
  getDisplayValueAlignmentFactors,
  FieldType,
  Field,
  getFieldDisplayName,
  getDisplayProcessor,
  dateTimeFormat,
  cacheFieldDisplayNames,
} from '@grafana/data';
import {
  BigValue,
  VizRepeater,
  BarGauge,
  TimeSeries,
  useTheme2,
  DataLinksContextMenu,
  VizLegend,
  Select,
} from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import { BigValueTextMode } from '@grafana/schema';
import { custom, TABLE, GRAPH, TIMELINE } from './registry';

const NoData = ({ fieldConfig }: any) => (
  <div
    className="panel-empty"
    style={{ height: '100%', display: 'flex', alignItems: 'center', justifyContent: 'center' }}
  >
    {fieldConfig?.defaults?.noValue ?? 'No data'}
  </div>
);

const reduceDefaults = { values: false, calcs: ['lastNotNull'], fields: '' };

function displayValues(p: PanelProps<any>, theme: any, sparkline = false) {
  return getFieldDisplayValues({
    fieldConfig: p.fieldConfig,
    reduceOptions: p.options.reduceOptions,
    replaceVariables: p.replaceVariables,
    theme,
    data: p.data.series,
    sparkline,
    timeZone: p.timeZone,
    percentChange: p.options.showPercentChange,
  } as any);
}

function withLinks(value: any, render: (click?: any, cls?: string) => any) {
  const { hasLinks, getLinks } = value;
  return hasLinks && getLinks ? (
    <DataLinksContextMenu links={getLinks} style={{ flexGrow: 1 }}>
      {(api: any) => render(api.openMenu, api.targetClassName)}
    </DataLinksContextMenu>
  ) : (
    render()
  );
}

function Stat(p: PanelProps<any>) {
  const theme = useTheme2();
  const o = p.options;
  return (
    <VizRepeater
      {...({
        getValues: () => displayValues(p, theme, o.graphMode !== 'none'),
        getAlignmentFactors: getDisplayValueAlignmentFactors,
        width: p.width,
        height: p.height,
        source: p.data,
        itemSpacing: 3,
        renderCounter: p.renderCounter,
        autoGrid: true,
        orientation: o.orientation,
        renderValue: ({ value, width, height, alignmentFactors, count }: any) =>
          withLinks(value, (onClick, cls) => {
            let sparkline = value.sparkline;
            if (sparkline) sparkline.timeRange = p.timeRange;
            return (
              <BigValue
                value={value.display}
                count={count}
                sparkline={sparkline}
                colorMode={o.colorMode}
                graphMode={o.graphMode}
                justifyMode={o.justifyMode}
                textMode={textMode(o.textMode)}
                alignmentFactors={alignmentFactors}
                text={o.text}
                width={width}
                height={height}
                theme={theme}
                onClick={onClick}
                className={cls}
                percentChangeColorMode={o.percentChangeColorMode}
                disableWideLayout={!o.wideLayout}
              />
            );
          }),
      } as any)}
    />
  );
  function textMode(t: any) {
    if (t === 'auto' && o.reduceOptions.values) return BigValueTextMode.ValueAndName;
    return t;
  }
}

function BarGaugePanel(p: PanelProps<any>) {
  const theme = useTheme2();
  const o = p.options;
  const orientation =
    o.orientation === 'auto'
      ? p.width > p.height
        ? VizOrientation.Vertical
        : VizOrientation.Horizontal
      : o.orientation;
  return (
    <VizRepeater
      {...({
        getValues: () => displayValues(p, theme),
        getAlignmentFactors: getDisplayValueAlignmentFactors,
        width: p.width,
        height: p.height,
        minVizWidth: o.minVizWidth ?? 8,
        minVizHeight: o.minVizHeight ?? 16,
        maxVizHeight: o.maxVizHeight,
        itemSpacing: o.displayMode === 'lcd' ? 2 : 8,
        source: p.data,
        renderCounter: p.renderCounter,
        orientation,
        renderValue: ({ value, width, height, alignmentFactors, orientation }: any) =>
          withLinks(value, (onClick, cls) => (
            <BarGauge
              {...({
                value: value.display,
                width,
                height,
                orientation,
                field: value.field,
                text: o.text,
                display: value.view
                  ? getDisplayProcessor({
                      field: value.view.dataFrame.fields[value.colIndex],
                      theme,
                      timeZone: p.timeZone,
                    })
                  : undefined,
                theme,
                itemSpacing: 8,
                displayMode: o.displayMode,
                onClick,
                className: cls,
                alignmentFactors,
                showUnfilled: o.showUnfilled,
                valueDisplayMode: o.valueMode,
                namePlacement: o.namePlacement,
              } as any)}
            />
          )),
      } as any)}
    />
  );
}

function TablePanel(p: PanelProps<any>) {
  const frames = p.data.series;
  if (!frames.length || !frames[0].fields.length) return <NoData {...p} />;
  cacheFieldDisplayNames(frames);
  const main = frames[Math.min(p.options.frameIndex ?? 0, frames.length - 1)];
  // 12.x name of the hide flag
  main.fields.forEach((f: any) => {
    if (f.config.custom?.hidden) f.config.custom.hideFrom = { viz: true };
  });
  const many = frames.length > 1; // as in Grafana: one frame at a time and a picker underneath
  return (
    <div style={{ display: 'flex', flexDirection: 'column', height: '100%', justifyContent: 'space-between' }}>
      <TableNG
        {...({
          data: main,
          width: p.width,
          height: p.height - (many ? 40 : 0),
          noHeader: !p.options.showHeader,
          showTypeIcons: p.options.showTypeIcons,
          resizable: true,
          sortBy: p.options.sortBy,
          sortByBehavior: 'initial',
          cellHeight: p.options.cellHeight,
          timeRange: p.timeRange,
          fieldConfig: p.fieldConfig,
          getActions: () => [],
          enablePagination: p.options.enablePagination,
          structureRev: p.data.structureRev,
          frozenColumns: p.options.frozenColumns?.left,
          enableVirtualization: true,
          transparent: p.transparent,
          noValue: p.fieldConfig.defaults.noValue,
        } as any)}
      />
      {many && (
        <Select
          options={frames.map((f, i) => ({ label: f.name ?? f.refId ?? String(i), value: i }))}
          value={p.options.frameIndex ?? 0}
          onChange={() => {}}
        />
      )}
    </div>
  );
}

function TimeSeriesPanel(p: PanelProps<any>) {
  const frames = p.data.series.filter(
    (f) =>
      f.fields.some((x) => x.type === FieldType.time) &&
      f.fields.some((x) => x.type === FieldType.number) &&
      f.length > 0,
  );
  if (!frames.length) return <NoData {...p} />;
  return (
    <TimeSeries
      frames={frames}
      structureRev={p.data.structureRev}
      timeRange={p.timeRange}
      timeZone={[p.timeZone]}
      width={p.width}
      height={p.height}
      legend={p.options.legend}
      options={p.options}
    />
  );
}
interface Stretch {
  begin: number;
  end: number;
  text: string;
  color: string;
}

// What a field shows from when to when, equal neighbours merged. A gap longer than its step ends a stretch.
function stretches(time: Field, field: Field): Stretch[] {
  const step = (time.config as any).interval;
  const found: Stretch[] = [];
  time.values.forEach((begin: number, i: number) => {
    if (field.values[i] == null) return;
    const { text, color = '' } = field.display!(field.values[i]);
    const last = found.at(-1);
    if (last && last.text === text && begin <= last.end + step / 2) last.end = begin + step;
    else found.push({ begin, end: begin + step, text, color });
  });
  return found;
}

// Approximated: @grafana/ui has no timeline. Colours and texts are Grafana's, the geometry is ours.
function StateTimeline(p: PanelProps<any>) {
  const theme = useTheme2();
  const rows = p.data.series.flatMap((frame) => {
    const time = frame.fields.find((field) => field.type === FieldType.time);
    return frame.fields
      .filter((field) => time && field !== time)
      .map((field) => ({
        name: getFieldDisplayName(field, frame, p.data.series),
        stretches: stretches(time!, field),
      }));
  });
  if (!rows.length) return <NoData {...p} />;
  const [legendHeight, axisHeight, labelWidth] = [24, 18, 220];
  const [from, to] = [p.timeRange.from.valueOf(), p.timeRange.to.valueOf()];
  const x = (t: number) =>
    Math.min(p.width, Math.max(labelWidth, labelWidth + ((t - from) / (to - from)) * (p.width - labelWidth)));
  const height = p.height - legendHeight;
  const rowHeight = (height - axisHeight) / rows.length;
  const barHeight = rowHeight * p.options.rowHeight;
  const ticks = Array.from({ length: 7 }, (_, i) => from + ((i + 0.5) * (to - from)) / 7);
  const legend = new Map(rows.flatMap((row) => row.stretches.map((s): [string, string] => [s.text, s.color])));
  return (
    <div>
      <svg width={p.width} height={height}>
        {rows.map((row, i) => (
          <g key={i} transform={`translate(0 ${i * rowHeight})`}>
            <text
              x={labelWidth - 8}
              y={rowHeight / 2 + 4}
              textAnchor="end"
              fontSize={12}
              fill={theme.colors.text.primary}
            >
              {row.name}
            </text>
            {row.stretches.map((s) => (
              <rect
                key={s.begin}
                x={x(s.begin)}
                width={Math.max(1, x(s.end) - x(s.begin))}
                y={(rowHeight - barHeight) / 2}
                height={barHeight}
                fill={s.color}
                fillOpacity={p.fieldConfig.defaults.custom.fillOpacity / 100}
              />
            ))}
          </g>
        ))}
        {ticks.map((t) => (
          <text key={t} x={x(t)} y={height - 4} fontSize={11} textAnchor="middle" fill={theme.colors.text.secondary}>
            {dateTimeFormat(t, { format: 'MM/DD HH:mm', timeZone: p.timeZone })}
          </text>
        ))}
      </svg>
      <VizLegend
        placement="bottom"
        displayMode={'list' as any}
        items={[...legend].map(([label, color]) => ({ label, color, yAxis: 1 }))}
      />
    </div>
  );
}

const legendDef = { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] };

const mk = (id: string, C: any, defaults: any, fc: any) => {
  const p = new PanelPlugin<any>(C);
  p.meta = { id, name: id, skipDataQuery: false, info: {}, module: '', baseUrl: '', type: 'panel' } as any;
  p.setPanelOptions((b: any) =>
    Object.entries(defaults).forEach(([k, v]) =>
      b.addCustomEditor({ id: k, path: k, name: k, defaultValue: v, editor: () => null }),
    ),
  );
  p.useFieldConfig(fc);
  if (id === 'stat') p.setNoPadding();
  return p;
};

export const plugins: Record<string, PanelPlugin<any>> = {};

export function initPlugins() {
  Object.assign(plugins, {
    stat: mk(
      'stat',
      Stat,
      {
        reduceOptions: reduceDefaults,
        orientation: 'auto',
        graphMode: 'area',
        colorMode: 'value',
        justifyMode: 'auto',
        textMode: 'auto',
        wideLayout: true,
        showPercentChange: false,
        percentChangeColorMode: 'standard',
      },
      {},
    ),
    bargauge: mk(
      'bargauge',
      BarGaugePanel,
      {
        reduceOptions: reduceDefaults,
        orientation: 'auto',
        displayMode: 'gradient',
        valueMode: 'color',
        namePlacement: 'auto',
        showUnfilled: true,
        minVizWidth: 8,
        minVizHeight: 16,
        maxVizHeight: 300,
      },
      {},
    ),
    table: mk(
      'table',
      TablePanel,
      { frameIndex: 0, showHeader: true, showTypeIcons: false, cellHeight: 'sm' },
      { useCustomConfig: custom(TABLE) },
    ),
    timeseries: mk(
      'timeseries',
      TimeSeriesPanel,
      { legend: legendDef, tooltip: { mode: 'single', sort: 'none' } },
      {
        standardOptions: { color: { defaultValue: { mode: FieldColorModeId.PaletteClassic } } },
        useCustomConfig: custom(GRAPH),
      },
    ),
    'state-timeline': mk(
      'state-timeline',
      StateTimeline,
      { legend: legendDef, showValue: 'auto', rowHeight: 0.9, mergeValues: true },
      { useCustomConfig: custom(TIMELINE) },
    ),
  });
}
