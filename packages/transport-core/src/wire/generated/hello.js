/*eslint-disable block-scoped-var, id-length, no-control-regex, no-magic-numbers, no-mixed-operators, no-prototype-builtins, no-redeclare, no-shadow, no-var, sort-vars, default-case, jsdoc/require-param*/
import $protobuf from "../hello-runtime.js";

const $Reader = $protobuf.Reader, $Writer = $protobuf.Writer, $util = $protobuf.util;
const $Object = $util.global.Object, $undefined = $util.global.undefined, $Error = $util.global.Error, $RangeError = $util.global.RangeError;

const $root = $protobuf.roots["trunkline"] || ($protobuf.roots["trunkline"] = {});

export const trunkline = $root.trunkline = (() => {

    const trunkline = {};

    trunkline.Hello = (function() {

        const Hello = function (properties) {
            this.protocols = [];
            this.features = [];
            this.fields = {};
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        Hello.prototype.wireMin = 0;
        Hello.prototype.wireMax = 0;
        Hello.prototype.instance = $util.newBuffer([]);
        Hello.prototype.network = "";
        Hello.prototype.addr = "";
        Hello.prototype.agent = "";
        Hello.prototype.nodeId = "";
        Hello.prototype.protocols = $util.emptyArray;
        Hello.prototype.limits = null;
        Hello.prototype.features = $util.emptyArray;
        Hello.prototype.observed = "";
        Hello.prototype.fields = $util.emptyObject;

        Hello.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.wireMin != null && $Object.hasOwnProperty.call(message, "wireMin") && message.wireMin !== 0)
                writer.uint32(8).uint32(message.wireMin);
            if (message.wireMax != null && $Object.hasOwnProperty.call(message, "wireMax") && message.wireMax !== 0)
                writer.uint32(16).uint32(message.wireMax);
            if (message.instance != null && $Object.hasOwnProperty.call(message, "instance") && message.instance.length)
                writer.uint32(26).bytes(message.instance);
            if (message.network != null && $Object.hasOwnProperty.call(message, "network") && message.network !== "")
                writer.uint32(34).string(message.network);
            if (message.addr != null && $Object.hasOwnProperty.call(message, "addr") && message.addr !== "")
                writer.uint32(42).string(message.addr);
            if (message.agent != null && $Object.hasOwnProperty.call(message, "agent") && message.agent !== "")
                writer.uint32(50).string(message.agent);
            if (message.nodeId != null && $Object.hasOwnProperty.call(message, "nodeId") && message.nodeId !== "")
                writer.uint32(58).string(message.nodeId);
            if (message.protocols != null && message.protocols.length)
                for (let i = 0; i < message.protocols.length; ++i)
                    $root.trunkline.Protocol.encode(message.protocols[i], writer.uint32(66).fork(), _depth + 1).ldelim();
            if (message.limits != null && $Object.hasOwnProperty.call(message, "limits"))
                $root.trunkline.Limits.encode(message.limits, writer.uint32(74).fork(), _depth + 1).ldelim();
            if (message.features != null && message.features.length)
                for (let i = 0; i < message.features.length; ++i)
                    writer.uint32(82).string(message.features[i]);
            if (message.observed != null && $Object.hasOwnProperty.call(message, "observed") && message.observed !== "")
                writer.uint32(90).string(message.observed);
            if (message.fields != null && $Object.hasOwnProperty.call(message, "fields"))
                for (let keys = $Object.keys(message.fields), i = 0; i < keys.length; ++i)
                    writer.uint32(98).fork().uint32(10).string(keys[i]).uint32(18).string(message.fields[keys[i]]).ldelim();
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        Hello.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, key, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.trunkline.Hello();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.wireMin = value;
                        else
                            delete message.wireMin;
                        continue;
                    }
                case 2: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.wireMax = value;
                        else
                            delete message.wireMax;
                        continue;
                    }
                case 3: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.bytes()).length)
                            message.instance = value;
                        else
                            delete message.instance;
                        continue;
                    }
                case 4: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.network = value;
                        else
                            delete message.network;
                        continue;
                    }
                case 5: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.addr = value;
                        else
                            delete message.addr;
                        continue;
                    }
                case 6: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.agent = value;
                        else
                            delete message.agent;
                        continue;
                    }
                case 7: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.nodeId = value;
                        else
                            delete message.nodeId;
                        continue;
                    }
                case 8: {
                        if (wireType !== 2)
                            break;
                        if (!(message.protocols && message.protocols.length))
                            message.protocols = [];
                        message.protocols.push($root.trunkline.Protocol.decode(reader, reader.size(), $undefined, _depth + 1));
                        continue;
                    }
                case 9: {
                        if (wireType !== 2)
                            break;
                        message.limits = $root.trunkline.Limits.decode(reader, reader.size(), $undefined, _depth + 1, message.limits);
                        continue;
                    }
                case 10: {
                        if (wireType !== 2)
                            break;
                        if (!(message.features && message.features.length))
                            message.features = [];
                        message.features.push(reader.stringVerify());
                        continue;
                    }
                case 11: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.observed = value;
                        else
                            delete message.observed;
                        continue;
                    }
                case 12: {
                        if (wireType !== 2)
                            break;
                        if (message.fields === $util.emptyObject)
                            message.fields = {};
                        let end2 = reader.size() + reader.pos;
                        if (end2 > reader.len)
                            throw $RangeError("index out of range");
                        reader.len = end2;
                        key = "";
                        value = "";
                        while (reader.pos < end2) {
                            let tag2 = reader.tag();
                            wireType = tag2 & 7;
                            switch (tag2 >>>= 3) {
                            case 1:
                                if (wireType !== 2)
                                    break;
                                key = reader.stringVerify();
                                continue;
                            case 2:
                                if (wireType !== 2)
                                    break;
                                value = reader.stringVerify();
                                continue;
                            }
                            reader.skipType(wireType, _depth, tag2);
                        }
                        if (reader.pos !== end2)
                            throw $RangeError("index out of range");
                        reader.len = end;
                        if (key === "__proto__")
                            $util.makeProp(message.fields, key);
                        message.fields[key] = value;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return Hello;
    })();

    trunkline.Protocol = (function() {

        const Protocol = function (properties) {
            this.accepts = [];
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        Protocol.prototype.name = "";
        Protocol.prototype.version = 0;
        Protocol.prototype.accepts = $util.emptyArray;
        Protocol.prototype.channel = 0;

        Protocol.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.name != null && $Object.hasOwnProperty.call(message, "name") && message.name !== "")
                writer.uint32(10).string(message.name);
            if (message.version != null && $Object.hasOwnProperty.call(message, "version") && message.version !== 0)
                writer.uint32(16).uint32(message.version);
            if (message.accepts != null && message.accepts.length)
                writer.uint32(26).uint32s(message.accepts);
            if (message.channel != null && $Object.hasOwnProperty.call(message, "channel") && message.channel !== 0)
                writer.uint32(32).uint32(message.channel);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        Protocol.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.trunkline.Protocol();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.name = value;
                        else
                            delete message.name;
                        continue;
                    }
                case 2: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.version = value;
                        else
                            delete message.version;
                        continue;
                    }
                case 3: {
                        if (wireType === 2) {
                            if (!(message.accepts && message.accepts.length))
                                message.accepts = [];
                            reader.uint32s(message.accepts);
                            continue;
                        }
                        if (wireType !== 0)
                            break;
                        if (!(message.accepts && message.accepts.length))
                            message.accepts = [];
                        message.accepts.push(reader.uint32());
                        continue;
                    }
                case 4: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.channel = value;
                        else
                            delete message.channel;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return Protocol;
    })();

    trunkline.Limits = (function() {

        const Limits = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        Limits.prototype.message = 0;
        Limits.prototype.item = 0;
        Limits.prototype.packet = 0;
        Limits.prototype.pipe = 0;
        Limits.prototype.short = 0;
        Limits.prototype.long = 0;
        Limits.prototype.reply = 0;
        Limits.prototype.stream = 0;
        Limits.prototype.calls = 0;
        Limits.prototype.streams = 0;

        Limits.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== 0)
                writer.uint32(8).uint32(message.message);
            if (message.item != null && $Object.hasOwnProperty.call(message, "item") && message.item !== 0)
                writer.uint32(16).uint32(message.item);
            if (message.packet != null && $Object.hasOwnProperty.call(message, "packet") && message.packet !== 0)
                writer.uint32(24).uint32(message.packet);
            if (message.pipe != null && $Object.hasOwnProperty.call(message, "pipe") && message.pipe !== 0)
                writer.uint32(32).uint32(message.pipe);
            if (message.short != null && $Object.hasOwnProperty.call(message, "short") && message.short !== 0)
                writer.uint32(40).uint32(message.short);
            if (message.long != null && $Object.hasOwnProperty.call(message, "long") && message.long !== 0)
                writer.uint32(48).uint32(message.long);
            if (message.reply != null && $Object.hasOwnProperty.call(message, "reply") && message.reply !== 0)
                writer.uint32(56).uint32(message.reply);
            if (message.stream != null && $Object.hasOwnProperty.call(message, "stream") && message.stream !== 0)
                writer.uint32(64).uint32(message.stream);
            if (message.calls != null && $Object.hasOwnProperty.call(message, "calls") && message.calls !== 0)
                writer.uint32(72).uint32(message.calls);
            if (message.streams != null && $Object.hasOwnProperty.call(message, "streams") && message.streams !== 0)
                writer.uint32(80).uint32(message.streams);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        Limits.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.trunkline.Limits();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.message = value;
                        else
                            delete message.message;
                        continue;
                    }
                case 2: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.item = value;
                        else
                            delete message.item;
                        continue;
                    }
                case 3: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.packet = value;
                        else
                            delete message.packet;
                        continue;
                    }
                case 4: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.pipe = value;
                        else
                            delete message.pipe;
                        continue;
                    }
                case 5: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.short = value;
                        else
                            delete message.short;
                        continue;
                    }
                case 6: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.long = value;
                        else
                            delete message.long;
                        continue;
                    }
                case 7: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.reply = value;
                        else
                            delete message.reply;
                        continue;
                    }
                case 8: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.stream = value;
                        else
                            delete message.stream;
                        continue;
                    }
                case 9: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.calls = value;
                        else
                            delete message.calls;
                        continue;
                    }
                case 10: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.streams = value;
                        else
                            delete message.streams;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return Limits;
    })();

    return trunkline;
})();

export {
  $root as default
};
