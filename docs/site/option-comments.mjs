// Finds the comments of options in the sources: at a property of a type, or of a schema.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { packages, root } from './pages.mjs';

/** The comments of all types and schemas of the packages. */
export class Comments {
  /**
   * By the name of a type: the comments of its options by their paths, and the types that they
   * refer to.
   */
  #types = new Map();
  /** The same by `package/module#constant`. */
  #schemas = new Map();

  constructor() {
    for (const name of packages) {
      const folder = join(root, 'packages', name, 'src');
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!/\.ts$/.test(entry.name) || /\.test\.ts$/.test(entry.name)) continue;
        const path = join(entry.parentPath, entry.name);
        const module = path.slice(folder.length + 1, -'.ts'.length);
        this.#read(path, `${name}/${module}`);
      }
    }
  }

  /**
   * Returns the comment of an option: from its schema, or from the first of the types that has it,
   * or that of the group that it is in; undefined if there is none.
   */
  of(schema, types, path) {
    const places = [this.#schemas.get(schema), ...types.map((type) => this.#types.get(type))];
    const known = places.filter((place) => place !== undefined);
    // The types of a call such as `tcp({ tls })` describe what is inside of `tls`.
    for (const keys of [path.split('.'), path.split('.').slice(1)])
      for (const place of known) {
        const found = this.#in(place, keys);
        if (found !== undefined) return found;
      }
    return undefined;
  }

  /** Looks for an option in a place, or in the type of the group that it is in. */
  #in({ comments, references }, path) {
    for (let length = path.length; length > 0; length--) {
      const key = path.slice(0, length).join('.');
      const type = this.#types.get(references.get(key));
      const nested =
        length < path.length && type !== undefined && this.#in(type, path.slice(length));
      const found = nested || comments.get(key);
      if (found) return found;
    }
    return undefined;
  }

  #read(path, id) {
    const file = ts.createSourceFile(
      path,
      readFileSync(path, 'utf8'),
      ts.ScriptTarget.ES2022,
      true,
    );
    for (const node of file.statements) {
      if (ts.isInterfaceDeclaration(node)) this.#addType(node.name.text, node.members);
      else if (ts.isTypeAliasDeclaration(node))
        for (const { members } of literalsIn(node.type)) this.#addType(node.name.text, members);
      else if (ts.isVariableStatement(node)) {
        for (const { name, initializer } of node.declarationList.declarations) {
          if (initializer === undefined || !ts.isCallExpression(initializer)) continue;
          const shape = initializer.arguments.find(ts.isObjectLiteralExpression);
          if (shape === undefined) continue;
          const place = { comments: new Map(), references: new Map() };
          readShape(shape, '', place);
          this.#schemas.set(`${id}#${name.getText()}`, place);
        }
      }
    }
  }

  #addType(name, members) {
    const place = this.#types.get(name) ?? { comments: new Map(), references: new Map() };
    readType(members, '', place);
    this.#types.set(name, place);
  }
}

/** Adds the members of a type to a place, with `prefix` before their names. */
function readType(members, prefix, place) {
  for (const member of members) {
    if (member.name === undefined) continue;
    const key = prefix + member.name.getText();
    const text = commentOf(member);
    if (text !== undefined) place.comments.set(key, text);
    if (!ts.isPropertySignature(member) || member.type === undefined) continue;
    const parts = ts.isUnionTypeNode(member.type) ? member.type.types : [member.type];
    const reference = parts.find(ts.isTypeReferenceNode);
    if (reference !== undefined) place.references.set(key, reference.typeName.getText());
    for (const literal of literalsIn(member.type)) readType(literal.members, `${key}.`, place);
  }
}

function literalsIn(type) {
  if (type === undefined) return [];
  if (ts.isTypeLiteralNode(type)) return [type];
  const isMixed = ts.isUnionTypeNode(type) || ts.isIntersectionTypeNode(type);
  return isMixed ? type.types.flatMap(literalsIn) : [];
}

/** Adds the options of a schema to a place, with `prefix` before their names. */
function readShape(shape, prefix, place) {
  for (const property of shape.properties) {
    if (property.name === undefined) continue;
    const key = prefix + property.name.getText();
    const text = commentOf(property);
    if (text !== undefined) place.comments.set(key, text);
    const { initializer } = property;
    if (initializer === undefined || !ts.isCallExpression(initializer)) continue;
    const inner = initializer.arguments.find(ts.isObjectLiteralExpression);
    if (inner !== undefined) readShape(inner, `${key}.`, place);
  }
}

/** Returns the doc comment of a declaration as one line; undefined if it has none. */
function commentOf(node) {
  const doc = ts.getJSDocCommentsAndTags(node).find(ts.isJSDoc);
  if (doc === undefined) return undefined;
  const text = ts.getTextOfJSDocComment(doc.comment) ?? '';
  return text
    .replace(/\{@link (\w+)\}/g, '`$1`')
    .replace(/\n+- /g, '<br>• ')
    .replace(/\s+/g, ' ')
    .trim();
}
