// Tests of the paths of loaded files, by the rules of Windows on every machine.

import test from 'ava';
import { importable, machinePath, seenPath } from './machine-paths.ts';

test('Windows: a file has one path, in whatever form it is written', (t) => {
  const forms = [
    'C:\\app\\a b\\node.js',
    'c:\\app\\a b\\node.js',
    'C:/app/a b/node.js',
    '/C:/app/a b/node.js',
    '/c:\\app/a b\\node.js',
    'file:///C:/app/a%20b/node.js',
    'file:///c:/app/a%20b/node.js',
    new URL('file:///C:/app/a b/node.js'),
  ];
  for (const form of forms) t.is(machinePath(form, true), 'C:\\app\\a b\\node.js', String(form));
});

test('Windows: a file on a share has one path, in whatever form it is written', (t) => {
  const forms = [
    '\\\\server\\share\\node.js',
    '//server/share/node.js',
    '/server/share/node.js',
    'file://server/share/node.js',
    'file:///server/share/node.js',
  ];
  for (const form of forms) t.is(machinePath(form, true), '\\\\server\\share\\node.js', form);
});

test('Windows: loaded code sees POSIX paths and file URLs, which lead back', (t) => {
  const seen = {
    'C:\\app\\a b\\node.js': ['/C:/app/a b/node.js', '/C:/app/a b', 'file:///C:/app/a%20b/node.js'],
    '\\\\server\\share\\node.js': [
      '/server/share/node.js',
      '/server/share',
      'file:///server/share/node.js',
    ],
  };
  for (const [file, expected] of Object.entries(seen)) {
    const { filename, dirname, url } = seenPath(file, true);
    t.deepEqual([filename, dirname, url], expected);
    t.is(machinePath(filename, true), file);
    t.is(machinePath(url, true), file);
  }
});

test('Windows: absolute specifiers become URLs, and the others stay', (t) => {
  for (const specifier of ['C:\\app\\x.js', 'c:/app/x.js', '/C:/app/x.js', 'file:///c:/app/x.js'])
    t.is(importable(specifier, true), 'file:///C:/app/x.js');
  for (const specifier of ['\\\\server\\share\\x.js', 'file:///server/share/x.js'])
    t.is(importable(specifier, true), 'file://server/share/x.js');
  for (const specifier of ['./x.js', 'package/x.js', '#x', '@a/b', 'data:text/javascript,1'])
    t.is(importable(specifier, true), specifier);
});

test('POSIX: paths stay, and backslashes are characters of names', (t) => {
  t.is(machinePath('/app/a\\b.js', false), '/app/a\\b.js');
  t.is(machinePath('file:///C:/app/x.js', false), '/C:/app/x.js');
  t.is(seenPath('/app/a\\b.js', false).filename, '/app/a\\b.js');
  t.is(importable('/app/a%20b.js', false), '/app/a%20b.js');
});
