// Refreshes, sorts, filters and pages without loading the whole page. The server does the work: this script
// fetches the page with the same query, or with another one, and replaces the regions marked data-live.
// Without JavaScript, links and a form do the same.
'use strict';
(() => {
  const EVERY_MS = 15000;
  const TYPING_MS = 250;
  const filter = document.getElementById('q');
  const unreachable = document.getElementById('unreachable');
  let asking = null;
  let paused = false;
  let typing = 0;

  function replaceRegions(next) {
    const focused = document.activeElement?.id;
    for (const region of document.querySelectorAll('[data-live]')) {
      const fresh = next.getElementById(region.id);
      if (fresh && fresh.outerHTML !== region.outerHTML) region.replaceWith(document.importNode(fresh, true));
    }
    const status = document.getElementById('how-many');
    const text = next.getElementById('how-many').textContent;
    if (status.textContent !== text) status.textContent = text; // screen readers announce each change
    document.title = next.title;
    if (focused && document.activeElement?.id !== focused) {
      document.getElementById(focused)?.focus({ preventScroll: true });
    }
  }

  // `wanted` says whether the answer still is when it comes.
  async function show(query, wanted = () => true) {
    asking?.abort();
    const mine = (asking = new AbortController());
    try {
      // Without the credentials that location.href may contain, which fetch refuses.
      const response = await fetch(location.origin + location.pathname + query, { headers: { Accept: 'text/html' }, signal: mine.signal });
      if (!response.ok) throw new Error(`it answers ${response.status}`);
      const text = await response.text();
      if (asking !== mine || !wanted()) return;
      replaceRegions(new DOMParser().parseFromString(text, 'text/html'));
      if (unreachable.textContent !== '') unreachable.textContent = '';
    } catch (error) {
      if (error.name === 'AbortError' || !wanted()) return;
      unreachable.textContent =
        'The gateway does not answer (' + error.message + '). The page shows the last known state and keeps trying.';
    }
  }

  function go(query) {
    history.replaceState(null, '', query);
    return show(query);
  }

  function filtered() {
    const parameters = new URLSearchParams(new FormData(filter.form));
    if (!parameters.get('q')) parameters.delete('q');
    return '?' + parameters;
  }

  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[data-swap]');
    if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    if (link.hasAttribute('data-clears')) {
      filter.value = '';
      filter.focus();
    }
    go(link.getAttribute('href'));
  });
  filter.form.addEventListener('submit', (event) => {
    event.preventDefault();
    clearTimeout(typing);
    go(filtered());
  });
  filter.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(() => go(filtered()), TYPING_MS);
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest('input, textarea, select')) return;
    event.preventDefault();
    filter.select();
  });

  const button = document.createElement('button');
  button.id = 'pause';
  button.type = 'button';
  const refresh = () => {
    if (!paused && !document.hidden) show(location.search, () => !paused);
  };
  const label = () => (button.textContent = paused ? 'Resume refreshing' : 'Stop refreshing');
  button.addEventListener('click', () => {
    paused = !paused;
    label();
    refresh();
  });
  label();
  document.getElementById('refresh').append(' ', button);
  document.addEventListener('visibilitychange', refresh);
  setInterval(refresh, EVERY_MS);
})();
