import Corpora
import Foundation
import Host
import TestSupport
import Testing

struct FilePatternTests {
  private func tree() throws -> Scratch {
    let scratch = Scratch()
    for name in ["data/b/image_2.png", "data/b/image_10.png", "data/a/image_1.png", "data/a/.image_9.png", "data/a/notes.txt", "top.png"] {
      try AtomicFile.write(Data(name.utf8), to: scratch(name))
    }
    return scratch
  }

  private func names(_ pattern: String, _ base: String, _ environment: [String: String] = [:]) throws -> [String] {
    try FilePattern(text: pattern).matches(relativeTo: base, environment: environment, place: "files").map(\.name)
  }

  @Test func starsMatchWithinAFolder() throws {
    let scratch = try tree()
    #expect(try names("data/*/image_*.png", scratch.path) == ["data/a/image_1.png", "data/b/image_10.png", "data/b/image_2.png"])
    #expect(try names("data/b/image_?.png", scratch.path) == ["data/b/image_2.png"])
    #expect(try names("*.png", scratch.path) == ["top.png"])
    #expect(try names("top.png", scratch.path) == ["top.png"])
  }

  @Test func variablesStandForFoldersAndLeaveNoTrace() throws {
    let scratch = try tree()
    let expected = ["b/image_10.png", "b/image_2.png"]
    #expect(try names("${DATA:-nowhere}/b/*.png", "/", ["DATA": scratch("data")]) == expected)
    #expect(try names("${DATA:-\(scratch("data"))}/b/*.png", "/nowhere") == expected)
    // A relative path of the environment counts from the working directory, not from the recipe's folder.
    let fromHere = String(repeating: "../", count: FileManager.default.currentDirectoryPath.split(separator: "/").count)
      + scratch("data").dropFirst()
    #expect(try names("${DATA:-nowhere}/b/*.png", scratch.path, ["DATA": fromHere]) == expected)
    #expect(inputError { _ = try names("${DATA:-data}/b/*.png", scratch.path) }?.kind == .missing)
    #expect(try names(scratch("data") + "/b/*.png", "/") == expected)
  }

  @Test func nothingFoundIsMissing() throws {
    let scratch = try tree()
    #expect(inputError { _ = try names("data/*.png", scratch.path) }?.kind == .missing)
    #expect(inputError { _ = try names("nowhere/*.png", scratch.path) }?.kind == .missing)
    #expect(inputError { _ = try names("data/b", scratch.path) }?.kind == .missing)
    let unset = inputError { _ = try names("${DATA}/x", scratch.path) }
    #expect(unset?.kind == .missing)
    #expect(unset?.expected.contains("DATA") == true)
  }
}
