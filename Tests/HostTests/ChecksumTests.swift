import Foundation
import Host
import Testing

@Suite struct Checksums {
  /// Expected as `xxh128sum` of xxHash 0.8.1 printed it for files of `(i * 2654435761) >> 13` modulo 256: empty, short, around blocks of
  /// XXH3 (1024 bytes) and around the pieces in which files are read (262,144 bytes).
  @Test(arguments: [
    (0, "99aa06d3014798d86001c324468d497f"),
    (1, "a6cd5e9392000f6ac44bdff4074eecdb"),
    (16, "29be75b0bbbb5284aafffcec5df2cb27"),
    (17, "db7e8f77961e47fd878751509ecfdb8b"),
    (128, "ba44fd018231af4cbbe087d879edcc78"),
    (129, "522c922743fd67f1b8075934107218e5"),
    (240, "4f49ccc8526aa7ad407883ea5ef95b9a"),
    (241, "50b62ee1ee6455a7bc424a2c480dd281"),
    (1023, "d34ef4f411b9a93e3071307bafa2f8f4"),
    (1024, "53bd178b75ab292e1fd15e7d36f5e1bc"),
    (1025, "d1ad5f4a3cce4374fe08e5a874d23fd2"),
    (262143, "8db0cccd42611e63421f2a38b0542712"),
    (262144, "5df35255aa52a7d0a681d98cfc9c36a6"),
    (262145, "340c6afb1466dfa4f55c36c17ab34a7a"),
    (1000003, "ed621aa755b6ada6b6c4165033e2eeee"),
  ])
  func filesHaveTheChecksumsOfXxh128sum(_ length: Int, _ expected: String) throws {
    let found = try withFiles([length]) { paths in try Checksum.xxh128(files: paths) }
    #expect(found == expected)
    // The same bytes in memory, in parts of which one is empty.
    let bytes = (0..<length).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) }
    #expect(Checksum.xxh128(of: [bytes]) == expected)
    #expect(Checksum.xxh128(of: [Array(bytes.prefix(length / 3)), [], Array(bytes.dropFirst(length / 3))]) == expected)
  }

  /// Expected: `xxh128sum` of the file that holds both checksums in a row.
  @Test func partsOfARunHaveTheChecksumOfTheirChecksums() throws {
    let found = try withFiles([1000, 0]) { paths in try Checksum.xxh128(files: paths) }
    #expect(found == "ab75f8adfb16c3d3a6e4cbea4def37d7")
  }

  @Test func anUnreadableFileIsNamed() throws {
    try withFiles([5]) { paths in
      let folder = (paths[0] as NSString).deletingLastPathComponent
      let missing = #expect(throws: InputError.self) { try Checksum.xxh128(files: paths + [folder + "/none"]) }
      #expect(missing?.kind == .missing && missing?.path == folder + "/none")
      let unreadable = #expect(throws: InputError.self) { try Checksum.xxh128(files: [folder]) }
      #expect(unreadable?.path == folder)
    }
  }

  private func withFiles<Result>(_ lengths: [Int], _ body: ([String]) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.path + "/checksums-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let paths = lengths.indices.map { "\(folder)/\($0)" }
    for (path, length) in zip(paths, lengths) {
      try Data((0..<length).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) }).write(to: URL(fileURLWithPath: path))
    }
    return try body(paths)
  }
}
