/** In the order of the navigation; the names stand in addresses. */
export const viewNames = [
  'overview',
  'ranking',
  'effects',
  'parallel',
  'curves',
  'heatmap',
  'confusion',
  'predictions',
  'failures',
  'cost',
  'sweepfile',
] as const;
export type ViewName = (typeof viewNames)[number];
