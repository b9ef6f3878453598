// The smallest document that still shows what a document shows.

import { Kind, parse, print, visit } from "graphql";

const attempts = 500;

/** Takes away as much of `text` as `still` (async, true while the rest shows it) allows. */
export async function shrink(text, still) {
  let budget = attempts;
  const holds = async (candidate) => candidate !== undefined && budget-- > 0 && still(candidate);
  let best = text;
  for (const smaller of [withoutNodes, withoutCharacters]) {
    for (let again = true; again && budget > 0; ) {
      again = false;
      for (const candidate of smaller(best)) {
        if (candidate.length < best.length && (await holds(candidate))) {
          best = candidate;
          again = true;
          break;
        }
        if (budget <= 0) break;
      }
    }
  }
  return best;
}

const removable = [Kind.FIELD, Kind.INLINE_FRAGMENT, Kind.FRAGMENT_SPREAD, Kind.FRAGMENT_DEFINITION, Kind.OPERATION_DEFINITION, Kind.ARGUMENT, Kind.DIRECTIVE, Kind.VARIABLE_DEFINITION, Kind.OBJECT_FIELD];

function* withoutNodes(text) {
  let ast;
  try {
    ast = parse(text, { noLocation: true });
  } catch {
    return;
  }
  yield print(ast);
  let count = 0;
  visit(ast, { enter: (node) => void (removable.includes(node.kind) && (count += 1)) });
  for (let index = 0; index < count; index += 1) {
    let seen = -1;
    const rest = visit(ast, { enter: (node) => (removable.includes(node.kind) && ++seen === index ? null : undefined) });
    try {
      const printed = print(rest);
      parse(printed);
      yield printed;
    } catch {
      // Nothing is left of a selection or of the document.
    }
  }
}

/** For what does not parse: without a span, long ones first. */
function* withoutCharacters(text) {
  if (text.length > 2000) return;
  for (let length = text.length >> 1; length >= 1; length = length >> 1) {
    for (let at = 0; at + length <= text.length; at += length) yield text.slice(0, at) + text.slice(at + length);
  }
}
