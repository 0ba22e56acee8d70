import Foundation
import Host
import Testing

@Suite struct Checksums {
  /// The oracle is the checksum of bytes in memory, which swift-crypto takes; lengths around blocks, their padding and pieces.
  @Test(arguments: [
    [0], [1, 55], [56, 63, 64], [65, 119, 120, 128], [262_144, 262_143], [262_145, 3, 700_001, 0, 64, 524_288], [1_000_000, 1_000_000], [],
  ])
  func filesSideBySideHaveTheirOwnDigests(_ lengths: [Int]) throws {
    let folder = FileManager.default.temporaryDirectory.path + "/checksums-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var paths: [String] = [], expected: [String] = []
    for (number, length) in lengths.enumerated() {
      let data = Data((0..<length).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13 &+ number) })
      paths.append("\(folder)/\(number)")
      expected.append(Checksum.sha256(data))
      try data.write(to: URL(fileURLWithPath: paths[number]))
    }
    #expect(try Checksum.sha256(files: paths) == expected)
    for (path, digest) in zip(paths, expected) { #expect(try Checksum.sha256(files: [path]) == [digest]) }
    #expect(try Checksum.sha256(files: paths + paths.reversed()) == expected + expected.reversed())
    let error = #expect(throws: InputError.self) { try Checksum.sha256(files: paths + [folder + "/none"]) }
    #expect(error?.kind == .missing && error?.path == folder + "/none")
    let unreadable = #expect(throws: InputError.self) { try Checksum.sha256(files: [folder]) }
    #expect(unreadable?.path == folder)
  }

  /// FIPS 180-4, the example of three letters.
  @Test func abc() throws {
    let path = FileManager.default.temporaryDirectory.path + "/abc-\(UUID().uuidString)"
    try Data("abc".utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(try Checksum.sha256(files: [path]) == ["ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"])
  }
}
