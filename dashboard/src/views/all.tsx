import type { ComponentType } from 'preact';
import type { Report } from '../data/report';
import type { ViewName } from '../data/views';
import { Confusion } from './Confusion';
import { Cost } from './Cost';
import { Curves } from './Curves';
import { Effects } from './Effects';
import { Failures } from './Failures';
import { HeatMap } from './HeatMap';
import { Overview } from './Overview';
import { Parallel } from './Parallel';
import { Predictions } from './Predictions';
import { Ranking } from './Ranking';
import { SweepFile } from './SweepFile';

export interface View {
  name: ViewName;
  title: string;
  filtered: boolean; // whether the filter says what is in it
  Show: ComponentType<{ report: Report }>;
}

export const views: readonly View[] = [
  { name: 'overview', title: 'Overview', filtered: false, Show: Overview },
  { name: 'ranking', title: 'Ranking', filtered: true, Show: Ranking },
  { name: 'effects', title: 'Effects', filtered: false, Show: Effects },
  { name: 'parallel', title: 'Parallel', filtered: true, Show: Parallel },
  { name: 'curves', title: 'Curves', filtered: true, Show: Curves },
  { name: 'heatmap', title: 'Heat map', filtered: true, Show: HeatMap },
  { name: 'confusion', title: 'Confusion', filtered: false, Show: Confusion },
  { name: 'predictions', title: 'Predictions', filtered: true, Show: Predictions },
  { name: 'failures', title: 'Failures', filtered: true, Show: Failures },
  { name: 'cost', title: 'Cost', filtered: true, Show: Cost },
  { name: 'sweepfile', title: 'Sweep file', filtered: false, Show: SweepFile },
];
