// Field-config and transformer registries that Grafana's app sets up at boot (public/app), re-stated with @grafana/data's own processors.
import {
  standardFieldConfigEditorRegistry,
  standardEditorsRegistry,
  standardTransformersRegistry,
  standardTransformers,
  identityOverrideProcessor,
  numberOverrideProcessor,
  displayNameOverrideProcessor,
  unitOverrideProcessor,
  valueMappingsOverrideProcessor,
  thresholdsOverrideProcessor,
  dataLinksOverrideProcessor,
  stringOverrideProcessor,
  booleanOverrideProcessor,
  ThresholdsMode,
  FieldColorModeId,
  FieldType,
} from '@grafana/data';
const noEditor: any = () => null;
export function initRegistries() {
  const item = (id: string, process: any, extra: any = {}) => ({
    id,
    path: id,
    name: id,
    editor: noEditor,
    override: noEditor,
    process,
    shouldApply: () => true,
    category: ['Standard options'],
    ...extra,
  });
  standardFieldConfigEditorRegistry.setInit(
    () =>
      [
        item('displayName', displayNameOverrideProcessor, { settings: { expandTemplateVars: true } }),
        item('unit', unitOverrideProcessor),
        item('min', numberOverrideProcessor),
        item('max', numberOverrideProcessor),
        item('fieldMinMax', booleanOverrideProcessor),
        item('decimals', numberOverrideProcessor),
        item('mappings', valueMappingsOverrideProcessor, { defaultValue: [] }),
        item('noValue', displayNameOverrideProcessor),
        item('description', stringOverrideProcessor),
        item('thresholds', thresholdsOverrideProcessor, {
          defaultValue: {
            mode: ThresholdsMode.Absolute,
            steps: [
              { value: -Infinity, color: 'green' },
              { value: 80, color: 'red' },
            ],
          },
        }),
        item('links', dataLinksOverrideProcessor),
        item('actions', identityOverrideProcessor),
        item('color', identityOverrideProcessor, { defaultValue: { mode: FieldColorModeId.Thresholds } }),
        item('filterable', booleanOverrideProcessor),
      ] as any,
  );
  standardEditorsRegistry.setInit(
    () =>
      [
        'number',
        'boolean',
        'text',
        'string',
        'select',
        'multi-select',
        'radio',
        'slider',
        'color',
        'unit',
        'timezone',
        'thresholds',
        'mappings',
        'links',
        'actions',
        'stats-picker',
        'field-name',
        'strings',
        'dashboard-uid',
        'fieldColor',
      ].map((id) => ({ id, name: id, editor: noEditor })) as any,
  );
  standardTransformersRegistry.setInit(
    () =>
      [...new Map(Object.values(standardTransformers).map((t: any) => [t.id, t])).values()].map((t: any) => ({
        id: t.id,
        name: t.name,
        transformation: () => Promise.resolve(t),
        editor: noEditor,
        imageDark: '',
        imageLight: '',
      })) as any,
  );
}
type C = [id: string, def?: unknown];
export const custom = (list: C[]) => (b: any) =>
  list.forEach(([id, defaultValue]) =>
    b.addCustomEditor({
      id,
      path: id,
      name: id,
      defaultValue,
      editor: noEditor,
      override: noEditor,
      process: identityOverrideProcessor,
      shouldApply: (f: any) => true,
    }),
  );
export const TABLE: C[] = [
  ['minWidth'],
  ['width'],
  ['align', 'auto'],
  ['cellOptions', { type: 'auto' }],
  ['inspect', false],
  ['filterable'],
  ['wrapText'],
  ['wrapHeaderText'],
  ['footer'],
  ['tooltip'],
  ['styleField'],
  ['hideFrom', {}],
  ['hidden'],
];
export const GRAPH: C[] = [
  ['drawStyle', 'line'],
  ['lineInterpolation', 'linear'],
  ['barAlignment', 0],
  ['barWidthFactor', 0.6],
  ['lineWidth', 1],
  ['fillOpacity', 0],
  ['gradientMode', 'none'],
  ['fillBelowTo'],
  ['lineStyle', { fill: 'solid' }],
  ['lineColor'],
  ['showPoints', 'auto'],
  ['showValues', false],
  ['pointSize', 5],
  ['pointSymbol'],
  ['spanNulls', false],
  ['insertNulls', false],
  ['stacking', { mode: 'none', group: 'A' }],
  ['transform'],
  ['axisPlacement', 'auto'],
  ['axisLabel', ''],
  ['axisWidth'],
  ['axisSoftMin'],
  ['axisSoftMax'],
  ['axisGridShow'],
  ['axisColorMode', 'text'],
  ['axisBorderShow', false],
  ['axisCenteredZero', false],
  ['scaleDistribution', { type: 'linear' }],
  ['hideFrom', { tooltip: false, viz: false, legend: false }],
  ['thresholdsStyle', { mode: 'off' }],
];
export const TIMELINE: C[] = [
  ['lineWidth', 0],
  ['fillOpacity', 70],
  ['spanNulls', false],
  ['insertNulls', false],
  ['hideFrom', { tooltip: false, viz: false, legend: false }],
];
