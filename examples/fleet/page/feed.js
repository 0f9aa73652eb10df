// A list of news that are told live and kept: those that come and those of the past,
// each once.

const page = 50;
const again = 3000; // ms until the past is asked for again

export class Feed {
  // ask(event, query) answers with a page; event is also the name of its list. live()
  // says whether there is anybody to ask.
  constructor(event, { ask, live, onChange, onProblem }) {
    Object.assign(this, { event, ask, live, onChange, onProblem });
    this.items = new Map(); // by id
    this.next = ""; // asks for older ones
  }

  // newest returns all, the newest first.
  newest() {
    return [...this.items.values()].sort((a, b) => Date.parse(b.time) - Date.parse(a.time) || b.id.localeCompare(a.id));
  }

  // add reports whether it is new.
  add(item) {
    if (!item?.id || this.items.has(item.id)) return false;
    this.items.set(item.id, item);
    this.onChange();
    return true;
  }

  // catchUp reads what was told while nobody listened. The server is listened to
  // already, so nothing is missing between; what comes twice has one id.
  async catchUp() {
    try {
      const got = await this.ask(this.event, { limit: page });
      const list = got[this.event];
      if (this.items.size === 0 || list.every((a) => !this.items.has(a.id))) this.next = got.next;
      this.keep(list);
    } catch (err) {
      if (!this.live()) return; // whoever connects again begins again
      this.onProblem(`Earlier ${this.event} are not here yet: ${err.message}`);
      setTimeout(() => this.live() && this.catchUp(), again);
    }
  }

  async older() {
    try {
      const got = await this.ask(this.event, { before: this.next, limit: page });
      this.next = got.next;
      this.keep(got[this.event]);
    } catch (err) {
      this.onProblem(`Older ${this.event} cannot be read: ${err.message}`);
    }
  }

  keep(list) {
    list.forEach((a) => this.items.set(a.id, a));
    this.onProblem("");
    this.onChange();
  }
}
