// Runs in <head> before the first paint, so that neither the theme nor the viewer's time zone ever flashes.
// Cookies: portal-theme = the choice (system, light, dark); portal-look = what that came to; portal-zone = IANA name.
(() => {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const year = 31536000;
  const read = name => document.cookie.split('; ').find(c => c.startsWith(name + '='))?.slice(name.length + 1);
  const write = (name, value) => {
    if (read(name) !== value) {
      document.cookie = `${name}=${value}; path=/; max-age=${year}; samesite=lax${location.protocol === 'https:' ? '; secure' : ''}`;
    }
  };
  const choice = () => {
    const kept = read('portal-theme');
    return kept === 'light' || kept === 'dark' ? kept : 'system';
  };
  const apply = () => {
    const look = choice() === 'system' ? (dark.matches ? 'dark' : 'light') : choice();
    document.documentElement.dataset.theme = look;
    write('portal-look', look);
    document.querySelector('meta[name=theme-color]')?.setAttribute('content', look === 'dark' ? '#1A2129' : '#FFFFFF');
  };

  apply();
  write('portal-zone', encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone ?? 'UTC'));
  dark.addEventListener('change', apply);
  window.portalTheme = {
    choice,
    choose(value) {
      write('portal-theme', value);
      apply();
    },
  };
})();
