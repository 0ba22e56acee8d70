import Foundation
import Host
import Publishing
import Tensors
import TestSupport
import Testing
import Training

@Suite struct FailureTests {
  /// A copy of the run whose files a test may spoil.
  private func copy(_ scratch: Scratch) throws -> RunFolder {
    try FileManager.default.copyItem(atPath: try TinyRun.flip.get().folder.path, toPath: scratch("run"))
    return RunFolder(scratch("run"))
  }

  private func spoil(_ run: RunFolder, _ change: (inout Checkpoint) -> Void) throws {
    var checkpoint = try Checkpoint(reading: run.best)
    change(&checkpoint)
    try checkpoint.write(to: run.best)
  }

  @Test func aRunThatCannotBePublishedLeavesNothing() throws {
    func refusal(_ change: (RunFolder) throws -> Void) throws -> InputError? {
      let scratch = Scratch(), run = try copy(scratch)
      try change(run)
      let error = inputError { try Publication.plain.publish(run, as: "tiny", in: scratch("out")) }
      let left = FileManager.default.fileExists(atPath: scratch("out")) ? try scratch.names("out") : []
      #expect(left.isEmpty)
      return error
    }
    let weight = "backbone.layer3.0.conv1.weight"
    #expect(try refusal { try spoil($0) { $0.weights[weight] = $0.weights[weight].map { _ in .nan } } }?.place == "layer3.0.conv1.weight, element 0")
    #expect(try refusal { try spoil($0) { $0.weights["head.weight"] = $0.weights["head.weight"].map { _ in .infinity } } }?.place == "head.weight, element 0")
    // Every activation of the last stage dead: one codeword for every picture.
    let dead = try refusal { run in
      try spoil(run) { checkpoint in
        for slot in checkpoint.weights.slots where slot.path.contains("layer4") && slot.role == .trainable {
          checkpoint.weights[slot.path] = Tensor(repeating: 0, slot.shape)
        }
      }
    }
    #expect(dead?.found.contains("dead network") == true)
    #expect(try refusal { try spoil($0) { $0.description.corpus = "another" } }?.path.hasSuffix("manifest.json") == true)
    #expect(try refusal { try FileManager.default.removeItem(atPath: $0.best) }?.kind == .missing)
    #expect(try refusal { try FileManager.default.removeItem(atPath: $0.metrics) }?.path.hasSuffix("metrics.jsonl") == true)
    #expect(try refusal { try AtomicFile.write(Data("{}\n".utf8), to: $0.metrics) }?.place == "line 1")
    let scratch = Scratch(), run = try copy(scratch)
    var publication = Publication.plain
    publication.corpus = scratch("nowhere")
    #expect(inputError { try publication.publish(run, as: "tiny", in: scratch("out")) }?.kind == .missing)
    for name in ["", "..", ".hidden", "a/b", "-x", "a b"] {
      #expect(inputError { try Publication.plain.publish(run, as: name, in: scratch("out")) }?.place == "name")
    }
    #expect(try scratch.names() == ["run"])
  }

  @Test func anOlderFolderIsReplacedOnlyOnRequestAndOnlyBySomethingThatPasses() throws {
    let scratch = Scratch(), run = try copy(scratch)
    try Publication.plain.publish(run, as: "tiny", in: scratch("out"))
    let before = scratch.digests("out/tiny")
    #expect(inputError { try Publication.plain.publish(run, as: "tiny", in: scratch("out")) }?.found == "something")
    var publication = Publication.plain
    publication.replaces = true
    publication.source = .last
    publication.commit = "new"
    let good = try AtomicFile.read(run.last)
    try AtomicFile.write(good.dropLast(4), to: run.last)
    #expect(inputError { try publication.publish(run, as: "tiny", in: scratch("out")) } != nil)
    #expect(scratch.digests("out/tiny") == before)
    try AtomicFile.write(good, to: run.last)
    let model = try publication.publish(run, as: "tiny", in: scratch("out"))
    #expect(model.provenance.commit == "new" && model.provenance.checkpoint.file == "last.safetensors")
    #expect(model.configuration.meaning.step == 3)
    #expect(try scratch.names("out") == ["tiny"])
    // Something else of that name is not ours to remove.
    try AtomicFile.write(Data("mine".utf8), to: scratch("out/other/notes.txt"))
    #expect(inputError { try publication.publish(run, as: "other", in: scratch("out")) }?.found.contains("SHA256SUMS") == true)
    #expect(try scratch.names("out/other") == ["notes.txt"])
  }

  @Test func aKilledReplacementIsPutRight() throws {
    let scratch = Scratch(), run = try copy(scratch)
    try Publication.plain.publish(run, as: "tiny", in: scratch("out"))
    let before = scratch.digests("out/tiny")
    // Killed between its two renames: the old folder lies aside, the new one is complete but not in place.
    try AtomicFile.move(scratch("out/tiny"), to: scratch("out/tiny.replaced"))
    try AtomicFile.write(Data("half".utf8), to: scratch("out/tiny.publishing/config.json"))
    #expect(inputError { try Publication.plain.publish(run, as: "tiny", in: scratch("out")) }?.found == "something")
    #expect(scratch.digests("out/tiny") == before)
    var publication = Publication.plain
    publication.replaces = true
    try publication.publish(run, as: "tiny", in: scratch("out"))
    #expect(try scratch.names("out") == ["tiny"])
    #expect(scratch.digests("out/tiny") == before)
  }
}
