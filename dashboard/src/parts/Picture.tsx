import { useContext, useLayoutEffect, useRef } from 'preact/hooks';
import { PrintContext, useTheme } from '../charts/Chart';

interface Props {
  pixels: Uint8Array; // white ink on black, height × width
  height: number;
  width: number;
}

/** A sample image, drawn as ink upon the page: dark on light, light on dark. */
export function Picture({ pixels, height, width }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  const print = useContext(PrintContext);
  useLayoutEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    const image = context.createImageData(width, height);
    const dark = theme === 'dark' && !print;
    for (let i = 0; i < width * height; ++i) {
      const ink = pixels[i]!;
      image.data.fill(dark ? ink : 255 - ink, 4 * i, 4 * i + 3);
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }, [pixels, theme, print]);
  return <canvas ref={canvas} class="picture" width={width} height={height} aria-hidden="true" />;
}
