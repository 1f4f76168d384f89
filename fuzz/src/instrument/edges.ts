// Inserts counters into a module's source: one at the beginning of each function and of each path
// that a branch can take.

import { type Node, parse } from 'acorn';

/** A module with counters in its source. */
export interface Counted {
  readonly source: string;
  /** The number of counters. */
  readonly edges: number;
}

/**
 * Adds counters to a module. Lines keep their numbers, so that stack traces stay correct. `name` is
 * the variable of the counters' array.
 */
export function countEdges(
  source: string,
  name: string,
  prologue: (edges: number) => string,
): Counted {
  const inserts: { readonly at: number; readonly text: string }[] = [];
  let edges = 0;
  const put = (at: number, text: string) => void inserts.push({ at, text });
  const counter = () => `${name}[${edges++}]++`;

  /**
   * Inserts a counter before the first statement of a block; a lone statement becomes a block.
   * Returns the text that closes it.
   */
  const statement = (node: Node): string => {
    if (node.type === 'BlockStatement') put(node.start + 1, `${counter()};`);
    else put(node.start, `{${counter()};`);
    return node.type === 'BlockStatement' ? '' : '}';
  };

  const visit = (node: Node): void => {
    const fields = node as unknown as Record<string, unknown>;
    const branch = (inner: unknown) => {
      if (!isNode(inner)) return;
      const text = statement(inner);
      visit(inner);
      if (text !== '') put(inner.end, text);
    };
    const operand = (inner: unknown) => {
      if (!isNode(inner)) return;
      put(inner.start, `(${counter()},`);
      visit(inner);
      put(inner.end, ')');
    };
    switch (node.type) {
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        for (const parameter of fields['params'] as Node[]) visit(parameter);
        if ((fields['body'] as Node).type === 'BlockStatement') branch(fields['body']);
        else operand(fields['body']);
        return;
      case 'IfStatement':
        visit(fields['test'] as Node);
        branch(fields['consequent']);
        if (fields['alternate'] === null) put(node.end, `else{${counter()}}`);
        else branch(fields['alternate']);
        return;
      case 'ConditionalExpression':
        visit(fields['test'] as Node);
        operand(fields['consequent']);
        operand(fields['alternate']);
        return;
      case 'LogicalExpression':
        visit(fields['left'] as Node);
        operand(fields['right']);
        return;
      case 'AssignmentPattern':
        visit(fields['left'] as Node);
        operand(fields['right']);
        return;
      case 'SwitchCase': {
        const [first] = fields['consequent'] as Node[];
        if (isNode(fields['test'])) visit(fields['test']);
        put(first?.start ?? node.end, `${counter()};`);
        for (const inner of fields['consequent'] as Node[]) visit(inner);
        return;
      }
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
      case 'WhileStatement':
      case 'DoWhileStatement':
        for (const key of ['init', 'left', 'right', 'test', 'update'])
          if (isNode(fields[key])) visit(fields[key]);
        branch(fields['body']);
        return;
      case 'CatchClause':
        branch(fields['body']);
        return;
      default:
        for (const value of Object.values(fields)) {
          if (isNode(value)) visit(value);
          else if (Array.isArray(value)) for (const inner of value) if (isNode(inner)) visit(inner);
        }
    }
  };
  visit(parse(source, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true }));

  let counted = prologue(edges);
  let from = 0;
  const ordered = inserts
    .map((insert, index) => ({ ...insert, index }))
    .sort((a, b) => a.at - b.at || a.index - b.index);
  for (const { at, text } of ordered) {
    counted += source.slice(from, at) + text;
    from = at;
  }
  return { source: counted + source.slice(from), edges };
}

function isNode(value: unknown): value is Node {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { type?: unknown }).type === 'string'
  );
}
