// Random choices that a seed repeats (mulberry32).

export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    chance: (probability) => next() < probability,
    below: (count) => Math.floor(next() * count),
    pick: (list) => list[Math.floor(next() * list.length)],
    some(list, count) {
      const rest = [...list];
      const taken = [];
      while (taken.length < count && rest.length > 0) taken.push(rest.splice(Math.floor(next() * rest.length), 1)[0]);
      return taken;
    },
  };
}
