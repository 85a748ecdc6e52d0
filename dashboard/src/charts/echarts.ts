// The parts of ECharts that are used, and no others: the page carries them along.
import { CustomChart, HeatmapChart, LineChart, BarChart, ParallelChart, ScatterChart } from 'echarts/charts';
import {
  AriaComponent, DataZoomInsideComponent, GridComponent, MarkLineComponent, ParallelComponent, TooltipComponent,
  VisualMapContinuousComponent,
} from 'echarts/components';
import * as core from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';

core.use([
  AriaComponent, BarChart, CanvasRenderer, CustomChart, DataZoomInsideComponent, GridComponent, HeatmapChart, LineChart,
  MarkLineComponent, ParallelChart, ParallelComponent, ScatterChart, TooltipComponent, VisualMapContinuousComponent,
]);

export { core as echarts };
export type { ECharts, EChartsCoreOption as Option } from 'echarts/core';
