// A bar instead of Blazor's dialog: what was on the screen stays readable, but does not answer until the line is back.
// Blazor sets a class on #components-reconnect-modal and fires components-reconnect-state-changed.
(() => {
  const bar = document.getElementById('components-reconnect-modal');
  if (!bar) {
    return;
  }

  const text = bar.querySelector('[data-text]');
  const again = bar.querySelector('[data-again]');
  let lostAt = null;
  let countdown = null;

  const clock = () => lostAt.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const say = words => { text.textContent = words; };
  const freeze = frozen => {
    document.querySelectorAll('.frame-main, .mud-appbar, .mud-drawer').forEach(part => part.toggleAttribute('inert', frozen));
    document.body.classList.toggle('is-stale', frozen);
  };

  bar.addEventListener('components-reconnect-state-changed', event => {
    const { state, secondsToNextAttempt } = event.detail;
    clearInterval(countdown);
    if (state === 'hide') {
      lostAt = null;
      freeze(false);
      bar.hidden = true;
      return;
    }

    lostAt ??= new Date();
    freeze(true);
    bar.hidden = false;
    again.hidden = state !== 'failed';
    if (state === 'rejected' || state === 'resume-failed') {
      // The server no longer knows this circuit: the address is the state, so a reload shows the same view.
      say('Connection is back, reloading.');
      location.reload();
    } else if (state === 'failed') {
      say(`The portal does not answer. What you see is as of ${clock()}.`);
    } else {
      let left = secondsToNextAttempt ?? 0;
      const tell = () => say(left > 0
        ? `Connection lost, next try in ${left} s. What you see is as of ${clock()}.`
        : `Connection lost, trying again. What you see is as of ${clock()}.`);
      tell();
      countdown = setInterval(() => { left -= 1; tell(); }, 1000);
    }
  });

  again.addEventListener('click', () => location.reload());
})();
