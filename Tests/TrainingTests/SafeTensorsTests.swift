import Foundation
import Host
import Tensors
import Testing
import Training

private func entries() -> [SafeTensors.Entry] {
  [
    .init(name: "conv1.weight", Tensor<Float>([2, 1, 2, 2], [1, -2, 3.5, .pi, 0, -0.0, .infinity, .leastNonzeroMagnitude])),
    .init(name: "bn1.num_batches_tracked", Tensor<Int64>([], [1 << 40])),
    .init(name: "empty", Tensor<Float>([0, 3], [])),
    .init(name: "a \"quoted\" \\ nämé\n\u{1}", dtype: .u8, shape: [3], bytes: [1, 2, 3]),
  ]
}

/// A file of `header` and `data`, built byte by byte as the format says.
private func file(_ header: String, _ data: [UInt8] = [], length: UInt64? = nil) -> Data {
  let json = Array(header.utf8), n = length ?? UInt64(json.count)
  return Data((0..<8).map { UInt8(truncatingIfNeeded: n >> (8 * $0)) } + json + data)
}

@Test func whatIsWrittenIsRead() throws {
  let folder = NSTemporaryDirectory() + "psimagenet-safetensors-\(UUID().uuidString)"
  try SafeTensors.write(entries(), metadata: ["tag": "line\n\"two\""], to: folder + "/m.safetensors")
  let contents = try SafeTensors.read(folder + "/m.safetensors")
  try FileManager.default.removeItem(atPath: folder)
  #expect(contents.tensors == Dictionary(uniqueKeysWithValues: entries().map { ($0.name, $0) }))
  #expect(contents.metadata == ["format": "pt", "tag": "line\n\"two\""])
  #expect(try contents.integers("bn1.num_batches_tracked").elements == [1 << 40])
  let floats = try contents.floats("conv1.weight")
  #expect(floats.shape == [2, 1, 2, 2] && floats.elements[3] == .pi && floats.elements[5].sign == .minus)
}

@Test func theBytesFollowTheFormat() {
  let data = SafeTensors.data([
    .init(name: "b", Tensor<Float>([1], [1])), .init(name: "a", Tensor<Float>([], [2])),
    .init(name: "n", Tensor<Int64>([], [3])),
  ])
  let header =
    #"{"__metadata__":{"format":"pt"},"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"#
    + #""a":{"dtype":"F32","shape":[],"data_offsets":[8,12]},"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}"#
  let padded = header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
  #expect(data == file(padded, [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0x80, 0x3F]))
}

@Test func aFileByOtherHandsIsRead() throws {
  // Leading space, no padding, other key order, tensors in another order than their data, escapes and surrogates.
  let contents = try SafeTensors.parse(
    file(
      #" {"b\u0041\ud83d\ude00":{"shape":[2],"data_offsets":[1,3],"dtype":"U8"},"z":{"dtype":"BOOL","data_offsets":[0,1],"shape":[ 1 , 1 ]},"e":{"dtype":"F8_E4M3","shape":[0],"data_offsets":[3,3]}}"#,
      [7, 8, 9]), path: "x")
  #expect(contents.tensors["bA😀"]?.bytes == [8, 9] && contents.tensors["z"]?.shape == [1, 1] && contents.tensors.count == 3)
  #expect(try SafeTensors.parse(file("{}"), path: "x").tensors.isEmpty)
}

private let field = #"{"dtype":"U8","shape":[2],"data_offsets":[0,2]}"#

@Test(arguments: [
  (file("{\"a\":\(field),\"a\":\(field)}", [1, 2]), "a again"),
  (file(#"{"a":{"dtype":"U8","dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#, [1, 2]), "each once"),
  (file(#"{"__metadata__":{"k":"1","k":"2"}}"#), "k again"),
  (file(#"{"__metadata__":{"k":1}}"#), "a string"),
  (file(#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#, [1, 2]), "a hole"),
  (file(#"{"a":\#(field),"b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}}"#, [1, 2, 3, 4]), "a hole"),
  (file(#"{"a":\#(field),"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#, [1, 2, 3]), "an overlap"),
  (file("{\"a\":\(field)}", [1, 2, 3]), "3 bytes"),
  (file("{\"a\":\(field)}", [1]), "1 bytes"),
  (file(#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,2]}}"#, [1, 2]), "3 bytes for a"),
  (file(#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[2,0]}}"#, [1, 2]), "[2, 0]"),
  (file(#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2,2]}}"#, [1, 2]), "[0, 2, 2]"),
  (file(#"{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,2]}}"#, [1, 2]), "F4"),
  (file(#"{"a":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,2]}}"#, [1, 2]), "fits 64 bits"),
  (file(#"{"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,2]}}"#, [1, 2]), "fits 64 bits"),
  (file(#"{"a":{"dtype":"U8","shape":[-2],"data_offsets":[0,2]}}"#, [1, 2]), "natural number"),
  (file(#"{"a":{"dtype":"U8","shape":[2.0],"data_offsets":[0,2]}}"#, [1, 2]), "] of"),
  (file(#"{"a":{"dtype":"U8","shape":[02],"data_offsets":[0,2]}}"#, [1, 2]), "leading zeros"),
  (file(#"{"a":{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,2]}}"#, [1, 2]), "63 bits"),
  (file(#"{"a":{"dtype":"U8","shape":[2]}}"#, [1, 2]), "not all of them"),
  (file(#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2],"x":1}}"#, [1, 2]), "found x"),
  (file(#"{"\ud800":{}}"#), "surrogates"),
  (file(#"{"a\q":{}}"#), "JSON escape"),
  (file("{\"a\n\":{}}"), "control character"),
  (file("{} x"), "more of it"),
  (file("[]"), "{ of header"),
  (file(""), "the end of the header"),
  (file("{}", length: 3), "3 bytes"),
  (file("{}", length: 100_000_001), "100 MB"),
  (file("{}", length: .max), "100 MB"),
  (Data([2, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFE]), "UTF-8"),
  (Data([1, 2, 3]), "3 bytes in all"),
]) func aBrokenFileIsRefused(_ data: Data, _ complaint: String) {
  #expect { try SafeTensors.parse(data, path: "m.safetensors") } throws: { error in
    guard let error = error as? InputError else { return false }
    return error.kind == .malformed && error.path == "m.safetensors" && !error.place.isEmpty && "\(error)".contains(complaint)
  }
}

@Test func everyTruncationIsRefused() {
  let data = SafeTensors.data(entries())
  for length in 0..<data.count {
    #expect(throws: InputError.self, "\(length) of \(data.count) bytes") {
      try SafeTensors.parse(data.prefix(length), path: "x")
    }
  }
}

@Test func corruptionsNeverCrash() {
  let data = SafeTensors.data(entries())
  var random = Philox(seed: 1), refused = 0
  for trial in 0..<3000 {
    var bytes = [UInt8](data)
    for _ in 0...(trial % 4) {
      let place = Int.random(in: 0..<(trial % 2 == 0 ? 8 : bytes.count), using: &random)
      // Half the header corruptions strike digits, the likeliest to survive the parser and upset the layout.
      bytes[place] = trial % 3 == 0 ? UInt8.random(in: 48...57, using: &random) : UInt8.random(in: 0...255, using: &random)
    }
    do { _ = try SafeTensors.parse(Data(bytes), path: "x") } catch { refused += 1 }
  }
  #expect(refused > 1500)
}

@Test func matchingNamesEveryDifference() throws {
  let found = try SafeTensors.parse(SafeTensors.data(entries()), path: "m.safetensors")
  let all = entries().map { (name: $0.name, shape: $0.shape) }
  try SafeTensors.match(expected: all, found: found)
  let other: [(name: String, shape: Shape)] = [("conv1.weight", [2, 2, 1, 2]), ("fc.weight", [2, 8]), ("fc.bias", [2])]
  let wanted = Array(all.dropFirst(2)) + other
  #expect { try SafeTensors.match(expected: wanted, found: found) } throws: { error in
    let text = "\(error)"
    return text.contains("2 missing: fc.weight [2×8], fc.bias [2]") && text.contains("1 extra: bn1.num_batches_tracked []")
      && text.contains("conv1.weight [2×1×2×2] instead of [2×2×1×2]")
  }
  #expect(throws: InputError.self) { try found.floats("bn1.num_batches_tracked") }
  #expect(throws: InputError.self) { try found.floats("fc.weight") }
}

/// Expected: `xxh128sum` of the data, `format`, `pt`, `tag` and `x`, each word ended by a zero byte.
@Test func aSealedFileHasTheChecksumOfItsDataAndWords() throws {
  let entries = [
    SafeTensors.Entry(name: "b", Tensor<Float>([1], [1])), .init(name: "a", Tensor<Float>([], [2])), .init(name: "n", Tensor<Int64>([], [3])),
  ]
  let data = SafeTensors.data(entries, metadata: ["tag": "x"], isSealed: true), contents = try SafeTensors.parse(data, path: "m")
  #expect(contents.metadata == ["format": "pt", "tag": "x", SafeTensors.sealKey: "2f3725c0d84601ef0f4961e7ecdeeb9e"])
  #expect(contents.tensors.count == 3)
}

/// No byte of a sealed file can be changed so that anything else is read from it: what is not refused has the same data under the same names, or
/// has lost the key of the checksum or renamed a tensor, which a checkpoint's reader misses.
@Test func aSealedFileIsReadAsItWasWrittenOrNotAtAll() throws {
  // A tensor without elements could change its shape, which a checkpoint's reader compares.
  let sealed = entries().filter { !$0.bytes.isEmpty }
  let data = SafeTensors.data(sealed, metadata: ["tag": "line"], isSealed: true), whole = try SafeTensors.parse(data, path: "x")
  var refused = 0
  for place in data.indices {
    for flip: UInt8 in [0x01, 0x10, 0x20] {
      var bad = data
      bad[place] ^= flip
      do {
        let found = try SafeTensors.parse(bad, path: "x")
        let isUnsealed = found.metadata[SafeTensors.sealKey] == nil, isRenamed = Set(found.tensors.keys) != Set(whole.tensors.keys)
        #expect(isUnsealed || isRenamed || found == whole, "byte \(place), flip \(flip)")
        if isUnsealed { #expect(found.tensors == whole.tensors) }
      } catch { refused += 1 }
    }
  }
  #expect(refused > 3 * 100)
}
