import Foundation
import Host
import Testing

@Test func checksumMatchesThePublishedVector() {
  #expect(Checksum.sha256(Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
}

@Test func aFailedWriteLeavesTheOldFile() throws {
  let folder = NSTemporaryDirectory() + "psimagenet-atomic-\(UUID().uuidString)"
  try AtomicFile.write(Data("old".utf8), to: folder + "/a.txt")
  // The temporary sibling cannot be created where a folder of that name stands.
  try AtomicFile.makeFolder(folder + "/a.txt.partial")
  #expect(throws: InputError.self) { try AtomicFile.write(Data("new".utf8), to: folder + "/a.txt") }
  #expect(try AtomicFile.read(folder + "/a.txt") == Data("old".utf8))
  try FileManager.default.removeItem(atPath: folder)
}

@Test func aMissingFileIsNamed() {
  #expect { try AtomicFile.read("/nowhere/x") } throws: { error in
    (error as? InputError)?.kind == .missing && "\(error)".hasPrefix("/nowhere/x: expected a file")
  }
}

@Test func aDecodingErrorNamesThePlace() {
  struct Inner: Decodable { let side: Int }
  struct Outer: Decodable { let images: [Inner] }
  #expect { try CanonicalJSON.value(Outer.self, from: Data(#"{"images":[{"side":"x"}]}"#.utf8), path: "r.json") } throws: {
    "\($0)".hasPrefix("r.json: images.[0].side: expected a value of type Int")
  }
}
