// The serial console: xterm.js over a raw WebSocket. The server sends the guest's bytes as binary messages, first what was kept, then live.
// What is typed goes up as binary messages.

let loading = null;

function script(src) {
  return new Promise((resolve, reject) => {
    const tag = document.createElement('script');
    tag.src = src;
    tag.onload = resolve;
    tag.onerror = () => reject(new Error(`${src} did not load`));
    document.head.append(tag);
  });
}

function load(paths) {
  loading ??= (async () => {
    const sheet = document.createElement('link');
    sheet.rel = 'stylesheet';
    sheet.href = paths.css;
    document.head.append(sheet);
    await script(paths.xterm);
    await script(paths.fit);
  })();
  return loading;
}

// Dark in both themes: a guest picks its colours for a dark screen.
const colours = {
  background: '#10151B', foreground: '#E7EBF1', cursor: '#6CC3D9', cursorAccent: '#10151B', selectionBackground: '#2F4A63',
  black: '#1A2129', red: '#FF948C', green: '#72D18F', yellow: '#F0B85E', blue: '#8DBAFF', magenta: '#C5AAF6', cyan: '#6CC3D9', white: '#E7EBF1',
  brightBlack: '#8591A0', brightRed: '#FFB3AD', brightGreen: '#9BE3B1', brightYellow: '#F6D193', brightBlue: '#B4D1FF',
  brightMagenta: '#DCCBFA', brightCyan: '#A0DAE9', brightWhite: '#FFFFFF',
};

const keys = { escape: '\x1b', tab: '\t', up: '\x1b[A', down: '\x1b[B', left: '\x1b[D', right: '\x1b[C', interrupt: '\x03', enter: '\r' };

class Console {
  constructor(element, watcher, options) {
    this.element = element;
    this.watcher = watcher;
    this.encoder = new TextEncoder();
    this.term = new window.Terminal({
      fontFamily: 'ui-monospace, "Cascadia Mono", "SF Mono", Menlo, "DejaVu Sans Mono", monospace',
      fontSize: 13, lineHeight: 1.2, cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
      scrollback: 10000, theme: colours, screenReaderMode: options.screenReader, convertEol: false,
    });
    this.fit = new window.FitAddon.FitAddon();
    this.term.loadAddon(this.fit);
    this.term.open(element);
    this.term.textarea?.setAttribute('aria-label', options.label);
    // Tab belongs to the guest, so there must be one chord that leaves: Ctrl+], by the key's position, as in virsh and xl.
    this.term.attachCustomKeyEventHandler(event => {
      if (event.ctrlKey && event.code === 'BracketRight') {
        if (event.type === 'keydown') {
          document.getElementById(options.leaveTo)?.focus();
        }

        return false;
      }

      return true;
    });
    this.term.onData(text => this.send(this.encoder.encode(text)));
    this.term.onBinary(text => this.send(Uint8Array.from(text, c => c.charCodeAt(0))));
    this.resized = new ResizeObserver(() => this.fitNow());
    this.resized.observe(element);
    // More than one line pasted by accident runs commands: ask first.
    this.pasting = event => this.paste(event);
    element.addEventListener('paste', this.pasting, true);
  }

  fitNow() {
    if (this.element.offsetWidth > 0) {
      this.fit.fit();
    }
  }

  send(bytes) {
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(bytes);
    }
  }

  paste(event) {
    const text = event.clipboardData?.getData('text') ?? '';
    if (text.trimEnd().includes('\n')) {
      event.preventDefault();
      event.stopPropagation();
      this.watcher.invokeMethodAsync('AskPaste', text);
    }
  }

  // The ticket travels as a subprotocol, so that it stands in no address, log or history.
  connect(ticket) {
    this.disconnect();
    const url = new URL('/console', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url, ['portal.console.v1', `ticket.${ticket}`]);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    let fresh = true;
    socket.onopen = () => this.watcher.invokeMethodAsync('Connected');
    socket.onmessage = message => {
      if (fresh) {
        // The server replays what it kept; what stood here of the last connection would be shown twice.
        this.term.reset();
        fresh = false;
      }

      this.term.write(new Uint8Array(message.data));
    };
    socket.onclose = event => {
      if (this.socket === socket) {
        this.watcher.invokeMethodAsync('Disconnected', event.reason);
      }
    };
  }

  disconnect() {
    const socket = this.socket;
    this.socket = null;
    socket?.close(1000);
  }

  key(name) {
    this.send(this.encoder.encode(keys[name]));
    this.term.focus();
  }

  type(text) {
    this.term.paste(text);
    this.term.focus();
  }

  screenReader(on) {
    this.term.options.screenReaderMode = on;
  }

  focus() {
    this.term.focus();
  }

  async fullScreen() {
    await this.element.closest('.console')?.requestFullscreen?.();
    this.term.focus();
  }

  dispose() {
    this.disconnect();
    this.resized.disconnect();
    this.element.removeEventListener('paste', this.pasting, true);
    this.term.dispose();
  }
}

export async function open(element, watcher, options) {
  await load(options.paths);
  const console = new Console(element, watcher, options);
  console.fitNow();
  return console;
}
