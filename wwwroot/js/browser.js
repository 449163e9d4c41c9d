// What pages need of the browser and Blazor does not give: focus after navigation, the clipboard, the theme's choice.

let entered = location.pathname;

// The first page keeps the browser's own focus; every later one puts it on the heading, so that a screen reader says where one is.
export function focusHeading(heading) {
  if (location.pathname === entered) {
    return;
  }

  entered = null;
  heading?.focus({ preventScroll: true });
}

export function focusFirstError(container) {
  container?.querySelector('[aria-invalid=true], .is-invalid')?.focus();
}

// False where the browser forbids the clipboard (no secure context, no permission); the caller then selects the text instead.
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

export function select(element) {
  getSelection().selectAllChildren(element);
}

export function themeChoice() {
  return window.portalTheme.choice();
}

export function chooseTheme(value) {
  window.portalTheme.choose(value);
}
