// The transformation of an ES module into the body of a function, so that it can be evaluated once
// for each node with different globals. Lines keep their numbers.

import { type Node, type Options, parse } from 'acorn';
import { analyze, type ScopeManager } from 'eslint-scope';

/** An ES module as a function body. */
export interface TransformedModule {
  /**
   * The code of a function that takes `PARAMETERS` and returns a generator, or an async generator
   * if the module awaits at its top level. The first step registers the exports, so that the
   * modules in a cycle see each other's functions; the second step evaluates the module.
   */
  readonly code: string;
  /** The specifiers of its static imports, each once, in order. */
  readonly imports: readonly string[];
  /** The specifiers of `export * from`. */
  readonly stars: readonly string[];
  /** True if the module awaits at its top level. */
  readonly isAsync: boolean;
}

/**
 * The parameters of a transformed module: a function that receives the getters of the exports, the
 * namespaces of the imports in order, `import()`, and `import.meta`.
 */
export const PARAMETERS = [
  '__trunklineExports',
  '__trunklineImports',
  '__trunklineImport',
  '__trunklineMeta',
] as const;

/**
 * The names of functions that transformed code calls: an indirect `eval`, a function that
 * transforms the source for a direct `eval`, one that replaces the real global object, which `this`
 * is in a sloppy function, and one that replaces a real class, which `constructor` may be.
 */
export const CODE = [
  '__trunklineEval',
  '__trunklineSource',
  '__trunklineThis',
  '__trunklineClass',
] as const;

/**
 * Transforms an ES module.
 *
 * @throws SyntaxError if the source is not a valid module.
 */
export function transformModule(source: string): TransformedModule {
  const program = parse(source, { ...SYNTAX, sourceType: 'module' }) as unknown as Ast;
  const edits = new Edits(source);
  const facts = factsOf(program);
  const imports: string[] = [];
  const stars: string[] = [];
  const exports = new Map<string, string>();
  const indexOf = (specifier: string) => {
    if (!imports.includes(specifier)) imports.push(specifier);
    return imports.indexOf(specifier);
  };
  /** Maps the node of each specifier to the expression that reads the imported binding. */
  const bindings = new Map<Ast, string>();

  for (const node of program.body as Ast[]) {
    if (node.type === 'ImportDeclaration') {
      const from = `${NAMESPACE}${indexOf(node.source.value)}`;
      for (const each of node.specifiers as Ast[])
        bindings.set(
          each,
          each.type === 'ImportNamespaceSpecifier'
            ? from
            : from +
                member(each.type === 'ImportDefaultSpecifier' ? 'default' : nameOf(each.imported)),
        );
      edits.remove(node);
    } else if (node.type === 'ExportAllDeclaration') {
      const from = `${NAMESPACE}${indexOf(node.source.value)}`;
      if (node.exported) exports.set(nameOf(node.exported), from);
      else stars.push(node.source.value);
      edits.remove(node);
    } else if (node.type === 'ExportDefaultDeclaration') {
      exports.set('default', defaultExport(node, source, edits));
    } else if (node.type === 'ExportNamedDeclaration') {
      if (node.declaration) {
        for (const name of declaredNames(node.declaration)) exports.set(name, name);
        edits.replace(node.start, node.declaration.start, ';');
      } else {
        const from = node.source && `${NAMESPACE}${indexOf(node.source.value)}`;
        for (const { local, exported } of node.specifiers)
          exports.set(nameOf(exported), from ? from + member(nameOf(local)) : nameOf(local));
        edits.remove(node);
      }
    }
  }

  const scopes = analyze(program as never, { ...SCOPES, sourceType: 'module' });
  const scope = scopes.globalScope!.childScopes[0]!;
  for (const { name, defs, references } of scope.variables) {
    const binding = bindings.get(defs[0]?.node as unknown as Ast);
    if (binding === undefined) continue;
    for (const [exported, local] of exports) if (local === name) exports.set(exported, binding);
    for (const { identifier } of references as unknown as { identifier: Ast }[]) {
      const { start, end } = identifier;
      if (edits.isRemoved(start)) continue;
      if (facts.shorthands.has(start)) edits.replace(start, end, `${name}: ${binding}`);
      // A call of an imported function has no `this`.
      else if (facts.callees.has(start) && binding.includes('.'))
        edits.replace(start, end, `${facts.statements.has(start) ? ';' : ''}(0, ${binding})`);
      else edits.replace(start, end, binding);
    }
  }
  replaceDynamic(facts, edits);
  replaceEval(scopes, facts, edits);
  replaceConstructors(facts, edits);

  const getters = [...exports].map(([name, value]) => `${JSON.stringify(name)}: () => ${value}`);
  const namespaces = imports.map((_, index) => `${NAMESPACE}${index} = ${PARAMETERS[1]}[${index}]`);
  const head = [
    `return ${facts.isAsync ? 'async ' : ''}function* () { 'use strict'`,
    ...(namespaces.length > 0 ? [`const ${namespaces.join(', ')}`] : []),
    `${PARAMETERS[0]}({ ${getters.join(', ')} })`,
    'yield',
    '',
  ];
  return {
    code: `${head.join('; ')}${edits.apply()}\n}`,
    imports,
    stars,
    isAsync: facts.isAsync,
  };
}

/**
 * Replaces `import()`, `eval`, `constructor` and `return this` in the source of a CommonJS module.
 * The rest of the source is already a valid function body.
 *
 * @throws SyntaxError if the source is not a valid script.
 */
export function transformScript(source: string): string {
  if (!/\bimport\s*\(|\beval\b|\breturn\s+this\b|\.constructor\b/.test(source)) return source;
  const options = { ...SYNTAX, sourceType: 'script', allowReturnOutsideFunction: true } as const;
  const edits = new Edits(source);
  const program = parse(source, options) as unknown as Ast;
  const facts = factsOf(program);
  replaceDynamic(facts, edits);
  if (/\beval\b/.test(source))
    replaceEval(analyze(program as never, { ...SCOPES, sourceType: 'script' }), facts, edits);
  replaceConstructors(facts, edits);
  for (const { start, end } of facts.returned) edits.replace(start, end, `${CODE[2]}(this)`);
  return edits.apply();
}

/** Returns true if a source contains `import` or `export`, and is not a valid script. */
export function isModuleSyntax(source: string): boolean {
  if (!/\b(?:import|export)\b/.test(source)) return false;
  try {
    parse(source, { ...SYNTAX, sourceType: 'script', allowReturnOutsideFunction: true });
    return false;
  } catch {
    return true;
  }
}

/** A node of the syntax tree. Its fields depend on its type, so they are not typed. */
type Ast = Node & Record<string, any>;

const SYNTAX = {
  ecmaVersion: 'latest',
  allowHashBang: true,
  ranges: true,
} as const satisfies Options;

/** The types of nodes whose `left` may be assigned. */
const LEFT = /^(?:Assignment|ForIn|ForOf)/;

const SCOPES = { ecmaVersion: 2022, ignoreEval: true } as const;

/** The positions in a program that the transformation needs. */
interface Facts {
  /** The starts of identifiers that are called, or that tag a template. */
  readonly callees: Set<number>;
  /** The starts of properties such as `{ a }`. */
  readonly shorthands: Set<number>;
  /** The starts of expression statements in a list of statements. */
  readonly statements: Set<number>;
  /** The syntax nodes of `import()` and `import.meta`. */
  readonly dynamic: Ast[];
  /** The first arguments of direct calls of `eval`, by the start of the call. */
  readonly evaluated: Map<number, Ast>;
  /** The `this` of each `return this`. */
  readonly returned: Ast[];
  /** The expressions that read a property `constructor`; the value is true after `new`. */
  readonly constructors: Map<Ast, boolean>;
  isAsync: boolean;
}

function factsOf(program: Ast): Facts {
  const facts: Facts = {
    callees: new Set(),
    shorthands: new Set(),
    statements: new Set(),
    dynamic: [],
    evaluated: new Map(),
    returned: [],
    constructors: new Map(),
    isAsync: false,
  };
  /** Nodes that are assigned, deleted, or only lead to a method or another property. */
  const skipped = new Set<unknown>();
  const created = new Set<unknown>();
  const visit = (node: Ast, isInFunction: boolean) => {
    const { type } = node;
    if (type === 'NewExpression') created.add(node.callee);
    if (LEFT.test(type)) skipped.add(node.left);
    else if (node.operator === 'delete' || /^(?:Update|Rest)E/.test(type))
      skipped.add(node.argument);
    else if (type === 'ArrayPattern') for (const each of node.elements) skipped.add(each);
    else if (type === 'ObjectPattern') for (const { value } of node.properties) skipped.add(value);
    else if (type === 'MemberExpression') {
      skipped.add(node.object);
      if (!node.computed && node.property.name === 'constructor' && !skipped.has(node))
        facts.constructors.set(node, created.has(node));
    } else if (type === 'CallExpression') {
      // A call keeps its `this`, unless it can only make a function.
      if (!/^(?:Arrow|Function|Call)/.test(node.callee.object?.type)) skipped.add(node.callee);
    }
    const callee = type === 'CallExpression' ? node.callee : node.tag;
    if (callee?.type === 'Identifier') facts.callees.add(callee.start);
    if (callee?.name === 'eval' && !node.optional && node.arguments?.[0])
      facts.evaluated.set(callee.start, node.arguments[0]);
    if (type === 'ReturnStatement' && node.argument?.type === 'ThisExpression')
      facts.returned.push(node.argument);
    if (type === 'Property' && node.shorthand) facts.shorthands.add(node.value.start);
    else if (
      type === 'ImportExpression' ||
      (type === 'MetaProperty' && node.meta.name === 'import')
    )
      facts.dynamic.push(node);
    else if (
      !isInFunction &&
      (type === 'AwaitExpression' || (type === 'ForOfStatement' && node.await))
    )
      facts.isAsync = true;
    const isFunction = /Function|^(?:PropertyDefinition|StaticBlock)$/.test(type);
    const lists = [type === 'SwitchCase' ? node.consequent : node.body].filter(Array.isArray);
    for (const each of lists.flat())
      if (each.type === 'ExpressionStatement') facts.statements.add(each.start);
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? value : [value])
        if (typeof child?.type === 'string') visit(child, isInFunction || isFunction);
    }
  };
  visit(program, false);
  return facts;
}

function replaceDynamic({ dynamic }: Facts, edits: Edits): void {
  for (const { type, start, end } of dynamic) {
    if (type === 'MetaProperty') edits.replace(start, end, PARAMETERS[3]);
    else edits.replace(start, start + 'import'.length, PARAMETERS[2]);
  }
}

/**
 * Gives the real `eval`, which sees the globals of the node only in a direct call, no other uses.
 */
function replaceEval(scopes: ScopeManager, facts: Facts, edits: Edits): void {
  for (const { identifier } of scopes.globalScope!.through) {
    const { name, start, end } = identifier as unknown as Ast;
    if (name !== 'eval') continue;
    const code = facts.evaluated.get(start);
    if (code !== undefined) {
      edits.insert(code.start, `${CODE[1]}(`);
      edits.insert(code.end, ')');
    } else edits.replace(start, end, facts.shorthands.has(start) ? `eval: ${CODE[0]}` : CODE[0]);
  }
}

/** Replaces the classes that instances and functions lead to. */
function replaceConstructors({ constructors }: Facts, edits: Edits): void {
  for (const [{ start, end }, isNew] of constructors) {
    edits.insert(start, `${isNew ? '(' : ''}${CODE[3]}(`);
    edits.insert(end, isNew ? '))' : ')');
  }
}

/** Turns `export default` into a declaration. Returns the name of the variable with the value. */
function defaultExport(node: Ast, source: string, edits: Edits): string {
  const { declaration } = node;
  const isDeclared = /^(?:Function|Class)Declaration$/.test(declaration.type);
  if (isDeclared && declaration.id) {
    edits.replace(node.start, declaration.start, ';');
    return declaration.id.name;
  }
  const head = /^(?:async\s+)?function\s*\*?/.exec(source.slice(declaration.start))?.[0];
  if (isDeclared && head !== undefined) {
    // A declaration, because functions are hoisted.
    edits.replace(node.start, declaration.start, ';');
    edits.insert(declaration.start + head.length, ` ${DEFAULT}`);
  } else {
    edits.replace(node.start, declaration.start, `;const ${DEFAULT} = (`);
    edits.insert(declaration.end, ')');
  }
  return DEFAULT;
}

/** Returns the names that a declaration declares. */
function declaredNames(declaration: Ast): string[] {
  if (declaration.type !== 'VariableDeclaration') return [declaration.id.name];
  const names = (pattern: Ast | null): string[] => {
    switch (pattern?.type) {
      case 'Identifier':
        return [pattern.name];
      case 'ObjectPattern':
        return pattern.properties.flatMap((each: Ast) => names(each.value ?? each.argument));
      case 'ArrayPattern':
        return pattern.elements.flatMap(names);
      case 'AssignmentPattern':
        return names(pattern.left);
      case 'RestElement':
        return names(pattern.argument);
      default:
        return [];
    }
  };
  return declaration.declarations.flatMap(({ id }: Ast) => names(id));
}

/** Returns the name of an imported or exported binding, which may be a string literal. */
function nameOf(node: Ast): string {
  return node.type === 'Literal' ? node.value : node.name;
}

function member(name: string): string {
  return /^[\w$]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

/** Replacements of parts of a source. */
class Edits {
  readonly #source: string;
  readonly #edits: { readonly start: number; readonly end: number; readonly text: string }[] = [];
  readonly #removed: Ast[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  replace(start: number, end: number, text: string): void {
    this.#edits.push({ start, end, text });
  }

  insert(at: number, text: string): void {
    this.replace(at, at, text);
  }

  /** Removes a statement, but not its line breaks. */
  remove(node: Ast): void {
    this.#removed.push(node);
    const lines = this.#source.slice(node.start, node.end).replaceAll(/[^\n]/g, '');
    this.replace(node.start, node.end, `;${lines}`);
  }

  isRemoved(at: number): boolean {
    return this.#removed.some(({ start, end }) => start <= at && at < end);
  }

  apply(): string {
    let [text, from] = ['', 0];
    for (const edit of this.#edits.sort((a, b) => a.start - b.start || a.end - b.end)) {
      text += this.#source.slice(from, edit.start) + edit.text;
      from = edit.end;
    }
    // Inside a function, a hashbang is not a comment.
    return (text + this.#source.slice(from)).replace(/^#!/, '//');
  }
}

const NAMESPACE = '__trunklineImport$';
const DEFAULT = '__trunklineDefault';
