import { describe, expect, it } from 'vitest';
import { contentSecurityPolicy, scriptSafe } from '../../build/single-file';

describe('the one file', () => {
  it('cannot be left by what is in its script', () => {
    const safe = scriptSafe('a = "</script>"; b = `<!-- <SCRIPT>`; c = /<\\/script/');
    expect(safe).not.toMatch(/<\/?script|<!--/i);
    // eslint-disable-next-line no-eval
    expect((0, eval)(`${scriptSafe('"</script><!--<script>"')}`)).toBe('</script><!--<script>');
  });
  it('allows its own script alone', () => {
    expect(contentSecurityPolicy('x')).toMatch(/^default-src 'none'; script-src 'sha256-[A-Za-z0-9+/=]{44}';/);
    expect(contentSecurityPolicy('x')).not.toContain('unsafe-eval');
  });
});
