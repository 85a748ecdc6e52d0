import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Plugin } from 'vite';

const marker = '<!-- gridsweep:data -->';

// Text that would end the script element, or start a comment within it, may only occur in string and regular expression
// literals: there the escapes below mean the same.
export function scriptSafe(code: string): string {
  return code
    .replace(/<\/(script)/gi, '<\\/$1')
    .replace(/<!--/g, '\\x3C!--')
    .replace(/<(script)/gi, '\\x3C$1');
}

export function contentSecurityPolicy(script: string): string {
  const hash = createHash('sha256').update(script, 'utf8').digest('base64');
  return [
    "default-src 'none'",
    `script-src 'sha256-${hash}'`,
    "style-src 'unsafe-inline'",
    'img-src data: blob:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

// Whose work the page contains, as their licences ask.
export function notice(): string {
  const packages = ['echarts', 'zrender', 'tslib', 'preact', '@preact/signals', '@tanstack/virtual-core'];
  const lines = packages.map((name) => {
    const path = new URL(`../node_modules/${name}/package.json`, import.meta.url);
    const { version, license, homepage } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
    return `${name} ${version}, ${license}${homepage ? `, ${homepage}` : ''}`;
  });
  return `<!-- This page contains:\n  ${lines.join('\n  ')}\n  The licences' texts: https://spdx.org/licenses/ -->`;
}

/** Writes dist/index.html alone: styles in the head, the script last in the body, behind the marker that data replaces. */
export function singleFile(): Plugin {
  return {
    name: 'single-file',
    apply: 'build',
    enforce: 'post',
    generateBundle(_options, bundle) {
      let script = '';
      let style = '';
      for (const [name, file] of Object.entries(bundle)) {
        if (file.type === 'chunk') script += file.code;
        else if (name.endsWith('.css')) style += String(file.source);
        else continue;
        delete bundle[name];
      }
      const page = bundle['index.html'];
      if (page?.type !== 'asset') this.error('index.html is missing from the bundle');
      script = `\n${scriptSafe(script.trim())}\n`;
      const html = String(page.source)
        .replace(/\s*<script type="module"[^>]*><\/script>/, '')
        .replace(/\s*<link rel="stylesheet"[^>]*>/, '')
        .replace(
          '<meta charset="utf-8" />',
          (meta) => `${meta}\n    <meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy(script)}" />`,
        )
        .replace('<head>', () => `<head>\n    ${notice()}`)
        .replace('</head>', () => `  <style>${style.trim().replace(/<\/style/gi, '<\\/style')}</style>\n  </head>`)
        .replace('</body>', () => `  <script type="module">${script}</script>\n  </body>`);
      if (html.split(marker).length !== 2) this.error(`the page must contain ${marker} once`);
      if (/(src|href)="(?!data:|#)/.test(html.replace(script, ''))) this.error('the page refers to another file');
      page.source = html;
    },
  };
}
