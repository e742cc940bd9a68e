// Applies the chosen colours before the first paint. A file of its own, because no script may stand in the page itself.
try {
  const theme = localStorage.getItem('latchkey.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage is denied: the device's colours, then.
}
