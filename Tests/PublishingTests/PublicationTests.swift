import Foundation
import Graphs
import Host
import Networks
import Publishing
import Tensors
import TestSupport
import Testing
import Training

@Suite struct PublicationTests {
  @Test func theTrunkIsPublishedUnderTorchvisionsNames() throws {
    let run = try TinyRun.flip.get(), scratch = Scratch()
    let model = try Publication.plain.publish(run.folder, as: "tiny", in: scratch.path)
    let contents = try SafeTensors.read(scratch("tiny/model.safetensors"))

    // torchvision's rule for basic blocks, with one block a stage.
    var expected: [String: Shape] = ["conv1.weight": [4, 1, 7, 7]]
    func norm(_ name: String, _ channels: Int) {
      for part in ["weight", "bias", "running_mean", "running_var"] { expected["\(name).\(part)"] = [channels] }
      expected["\(name).num_batches_tracked"] = []
    }
    norm("bn1", 4)
    for stage in 1...4 {
      let width = 4 << (stage - 1), before = stage == 1 ? 4 : width / 2, block = "layer\(stage).0"
      expected["\(block).conv1.weight"] = [width, before, 3, 3]
      expected["\(block).conv2.weight"] = [width, width, 3, 3]
      norm("\(block).bn1", width)
      norm("\(block).bn2", width)
      if stage > 1 {
        expected["\(block).downsample.0.weight"] = [width, before, 1, 1]
        norm("\(block).downsample.1", width)
      }
    }
    #expect(contents.tensors.mapValues(\.shape) == expected)
    #expect(contents.metadata == ["format": "pt"])

    let checkpoint = try Checkpoint(reading: run.folder.best)
    for (name, entry) in contents.tensors {
      if name.hasSuffix("num_batches_tracked") {
        #expect(entry.dtype == .i64)
        #expect(try contents.integers(name).elements == [Int64(checkpoint.description.step)])
      } else {
        #expect(try contents.floats(name) == checkpoint.weights["backbone." + name])
      }
    }
    let head = try SafeTensors.read(scratch("tiny/head.st"))
    #expect(head.tensors.mapValues(\.shape) == ["head.weight": [1, 32]])
    #expect(try head.floats("head.weight") == checkpoint.weights["head.weight"])
    #expect(model.taskWeights == checkpoint.weights)
    #expect(model.weights.slots.map(\.path) == checkpoint.weights.slots.map(\.path).filter { $0.hasPrefix("backbone.") })
    #expect(model.backbone as? ResNet10 == ResNet10(width: 4))
    #expect(model.scaling == checkpoint.description.scaling && model.side == 33 && model.classes == ["as recorded", "mirrored"])
    #expect(try scratch.names() == ["tiny"])
  }

  /// The oracle is the interpreter, in double precision.
  @Test(arguments: [1, 5]) func activationsAreThoseOfTheReferenceInterpreter(count: Int) throws {
    let scratch = Scratch()
    for (run, backbone) in [(try TinyRun.flip.get(), ResNet10(width: 4) as any Backbone), (try TinyRun.kinds.get(), LeNet5())] {
      let model = try Publication.plain.publish(run.folder, as: "tiny-\(run.recipe.task.name)", in: scratch.path)
      var random = Philox(seed: 3)
      let image = Tensor<Float>([count, 1, 33, 33], (0..<count * 33 * 33).map { _ in Float(random.normal()) })
      let builder = GraphBuilder(), scope = Scope(builder, mode: .inference), input = builder.input("image", image.shape)
      let stages = backbone.stages(input, in: scope["backbone"])
      let program = Program(
        inputs: ["image": input], parameters: scope.parameters,
        outputs: ["codeword": stages.last!.globalAverage(), "stage.2": stages[1].globalAverage()])
      let weights = Dictionary(uniqueKeysWithValues: model.weights.slots.map { ($0.path, model.weights[$0.path].map(Double.init)) })
      let expected = program.interpreted(["image": image.map(Double.init)], weights).outputs
      let found = try model.activations(of: image)
      #expect(found.keys.sorted() == ["codeword"] + (1...4).map { "stage.\($0)" })
      for (name, tensor) in expected {
        let largest = tensor.elements.map(abs).max()!
        #expect(largest > 0)
        for (a, b) in zip(found[name]!.elements, tensor.elements) { #expect(abs(Double(a) - b) < 1e-5 * largest) }
      }
      // The stored reference says the same of its own pictures.
      let reference = try SafeTensors.read(model.folder + "/reference.safetensors")
      let again = try model.activations(of: reference.floats("input"))
      #expect(try reference.floats("codeword") == again["codeword"])
      #expect(try reference.floats("stage.1") == again["stage.1"])
    }
  }

  /// Three input channels, dropout while training, and codewords beside the mean of the last stage.
  @Test func aNetworkWithFullyConnectedCodewordsIsPublishedWithThem() throws {
    var vgg = VGG11()
    (vgg.inputs, vgg.width, vgg.hidden) = (3, 2, 8)
    let run = try TinyRun(backbone: .of(vgg), task: Choice(name: "frame-class")), scratch = Scratch()
    let model = try Publication.plain.publish(run.folder, as: "tiny", in: scratch.path)
    try model.verify()
    #expect(model.configuration.architecture == "vgg11_custom" && model.configuration.featureCount == 8)
    #expect(model.configuration.modelArguments.channels == 3 && model.configuration.pretrained.inputSize == [3, 33, 33])
    #expect(model.configuration.pretrained.mean.count == 3 && !model.configuration.pretrained.fixedInputSize)
    #expect(model.configuration.pretrained.firstConvolution == "features.0" && model.configuration.pretrained.classifier == "classifier.6")
    let names = Set(try SafeTensors.read(model.folder + "/reference.safetensors").tensors.keys)
    #expect(names.isSuperset(of: ["codeword", "codeword.pooled", "codeword.fc6", "codeword.fc7", "stage.5"]))
    let found = try model.activations(of: Tensor(repeating: 0.5, [2, 1, 33, 33]))
    #expect(found["codeword.fc7"] == found["codeword"] && found["codeword"]?.shape == [2, 8] && found["codeword.pooled"] == found["stage.5"])
    #expect(try SafeTensors.read(scratch("tiny/model.safetensors")).tensors["classifier.0.weight"]?.shape == [8, 16 * 49])
  }

  @Test func publishingTwiceGivesTheSameBytes() throws {
    let run = try TinyRun.flip.get(), scratch = Scratch()
    var publication = Publication.plain
    for name in ["one/tiny", "two/tiny"] {
      try publication.publish(run.folder, as: "tiny", in: scratch((name as NSString).deletingLastPathComponent))
    }
    let one = scratch.digests("one/tiny")
    #expect(one.count == ModelFile.allCases.count + 1)
    #expect(scratch.digests("two/tiny") == one)
    // No folder of this machine is published.
    for name in one.keys {
      #expect(!String(decoding: try AtomicFile.read(scratch("one/tiny/" + name)), as: UTF8.self).contains(run.scratch.path), "\(name)")
    }
    publication.date = "2020-02-02T00:00:00Z"
    publication.commit = "abc"
    try publication.publish(run.folder, as: "tiny", in: scratch("three"))
    let changed = scratch.digests("three/tiny").filter { one[$0.key] != $0.value }.keys.sorted()
    #expect(changed == ["SHA256SUMS", "provenance.json"])
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/sha256sum"), "no sha256sum on this machine"))
  func sha256sumAcceptsTheList() throws {
    let run = try TinyRun.flip.get(), scratch = Scratch()
    try Publication.plain.publish(run.folder, as: "tiny", in: scratch.path)
    let process = Process(), output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/sha256sum")
    process.arguments = ["--strict", "-c", "SHA256SUMS"]
    process.currentDirectoryURL = URL(fileURLWithPath: scratch("tiny"))
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(text.split(separator: "\n").count { $0.hasSuffix(": OK") } == ModelFile.allCases.count)
  }

  @Test func theConfigurationHasTheKeysThatTimmReads() throws {
    let scratch = Scratch()
    let model = try Publication.plain.publish(try TinyRun.kinds.get().folder, as: "kinds", in: scratch.path)
    let config = try #require(
      try JSONSerialization.jsonObject(with: AtomicFile.read(scratch("kinds/config.json"))) as? [String: Any])
    #expect(config["architecture"] as? String == "lenet5")
    #expect(config["num_classes"] as? Int == 0 && config["num_features"] as? Int == 84)
    #expect((config["model_args"] as? [String: Int]) == ["in_chans": 1])
    let pretrained = try #require(config["pretrained_cfg"] as? [String: Any])
    #expect(pretrained["input_size"] as? [Int] == [1, 33, 33] && pretrained["fixed_input_size"] as? Bool == true)
    let mean = try #require(pretrained["mean"] as? [Double]), deviation = try #require(pretrained["std"] as? [Double])
    // JSONSerialization rounds in the last place.
    #expect(mean.count == 1 && abs(mean[0] - model.scaling.mean) < 1e-12)
    #expect(deviation.count == 1 && abs(deviation[0] - model.scaling.deviation) < 1e-12)
    #expect(pretrained["first_conv"] as? String == "conv1" && pretrained["classifier"] as? String == "fc3")
    #expect(pretrained["num_classes"] as? Int == 0 && pretrained["pool_size"] as? [Int] == [1, 1])
    let sources = model.configuration.meaning.sources
    #expect(sources.map(\.name) == ["dim", "bright"] && sources.map(\.unit) == ["ADU", "ADU"])
    #expect(sources[0].tone.curve == .linear && sources[0].tone.scale == 2)
    #expect(sources[1].tone.curve == .asinh && sources[1].tone.scale == 3 && sources[1].tone.offset == 1)
    #expect(model.classes == ["bright", "dim"])
    // No batch normalisation, so no counters.
    let names = try SafeTensors.read(scratch("kinds/model.safetensors")).tensors.keys.sorted()
    #expect(names == ["conv1", "conv2", "fc1", "fc2"].flatMap { [$0 + ".bias", $0 + ".weight"] })
    // A width that no library has must not load there under the usual name.
    let custom = try Publication.plain.publish(try TinyRun.flip.get().folder, as: "custom", in: scratch.path)
    #expect(custom.configuration.architecture == "resnet10_custom" && !custom.configuration.pretrained.fixedInputSize)
    #expect(custom.configuration.pretrained.poolSize == [2, 2])
  }

  @Test func theCardSaysWhatWasMeasuredAndNothingElse() throws {
    let run = try TinyRun.kinds.get(), scratch = Scratch()
    try Publication.plain.publish(run.folder, as: "kinds", in: scratch.path)
    let card = String(decoding: try AtomicFile.read(scratch("kinds/README.md")), as: UTF8.self)
    let metric = try #require(try run.folder.metrics().filter { $0.split == "validation" }.max { $0.accuracy < $1.accuracy })
    // 12 validation pictures, asked again and again: the error counts pictures, not questions.
    let p = metric.accuracy == 0 || metric.accuracy == 1 ? (metric.accuracy * 12 + 0.5) / 13 : metric.accuracy
    let error = (p * (1 - p) / 12).squareRoot()
    #expect(metric.count > 12)
    #expect(card.contains(String(format: "| %.4f ± %.4f |", metric.accuracy, error)))
    #expect(card.contains("| pictures (runs) behind it | 12 (1) |"))
    #expect(card.contains("| chance: always the most frequent answer, bright | 0.5000 |"))
    for split in ["train", "validation", "test"] { #expect(card.contains("| \(split) | 12 | 1 |")) }
    #expect(card.contains("| t:1 | 12 | 0 | 0 |") && card.contains("| t:3 | 0 | 0 | 12 |"))
    #expect(card.hasPrefix("---\nlicense: apache-2.0\npipeline_tag: image-feature-extraction\ntags:\n- image-feature-extraction\n- x-ray\n"))
    #expect(card.contains("model-index:") && !card.contains("library_name: timm"))
    #expect(card.contains("timm lacks this architecture"))
    #expect(card.contains("No cue report lay with the run"))
    #expect(card.contains("Holds for pictures of 33×33 pixels only."))
  }

  @Test func aCueReportThatWithholdsTakesTheAccuracyOffTheCard() throws {
    let run = try TinyRun.kinds.get(), scratch = Scratch()
    try FileManager.default.copyItem(atPath: run.folder.path, toPath: scratch("run"))
    let folder = RunFolder(scratch("run"))
    func card(_ cues: String) throws -> String {
      try AtomicFile.write(Data(cues.utf8), to: folder.path + "/cues.json")
      var publication = Publication.plain
      publication.replaces = true
      let model = try publication.publish(folder, as: "m", in: scratch("out"))
      #expect(model.provenance.cuesSHA256 == Checksum.sha256(Data(cues.utf8)))
      return String(decoding: try AtomicFile.read(scratch("out/m/README.md")), as: UTF8.self)
    }
    let withheld = try card(#"{"verdict": "reads the mask", "withheld": ["accuracy of kind"], "other": 1}"#)
    #expect(withheld.contains("Verdict of the cue report: reads the mask\n") && withheld.contains("- accuracy of kind\n"))
    #expect(!withheld.contains("model-index") && !withheld.contains("± ") && withheld.contains("is withheld"))
    func metrics() throws -> String { String(decoding: try AtomicFile.read(scratch("out/m/metrics.jsonl")), as: UTF8.self) }
    #expect(try !metrics().contains("accurac") && metrics().contains("\"loss\""))
    let plain = try card(#"{"verdict": "no cue found", "withheld": []}"#)
    #expect(try metrics().contains("\"accuracy\""))
    #expect(plain.contains("no cue found") && plain.contains("model-index") && plain.contains(" ± "))
    // The audit of the run withholds as well, whatever the cue report says.
    try AtomicFile.write(Data(#"{"verdict": "WITHHELD: darks", "withheld": ["dark frames"]}"#.utf8), to: folder.path + "/audit.json")
    let audited = try card(#"{"verdict": "no cue found", "withheld": []}"#)
    #expect(audited.contains("WITHHELD: darks") && audited.contains("- dark frames\n") && !audited.contains("model-index"))
    // One of another network still withholds; where it does not, the card says which network was judged.
    let published = try Checkpoint(reading: folder.best), step = published.description.step
    try AtomicFile.write(Data(#"{"verdict": "WITHHELD: darks", "withheld": ["dark frames"], "step": 99999}"#.utf8), to: folder.path + "/audit.json")
    #expect(try !card("{}").contains("model-index"))
    try AtomicFile.write(Data(#"{"verdict": "PROVISIONAL: last", "withheld": [], "step": 99999}"#.utf8), to: folder.path + "/audit.json")
    let other = try card(#"{"verdict": "cues of another", "withheld": [], "step": 99998}"#)
    #expect(other.contains("judged the network of step 99998 of this run, not that of step \(step), which is published and was not examined"))
    for (digest, words) in [
      (#", "weightsDigest": "\#(published.weightsDigest)""#, "judged this very network"), ("", "by which weights, it does not record"),
    ] {
      try AtomicFile.write(Data(#"{"verdict": "PROVISIONAL: best", "withheld": [], "step": \#(step)\#(digest)}"#.utf8), to: folder.path + "/audit-best.json")
      let own = try card(#"{"verdict": "cues of another", "withheld": [], "step": 99998}"#)
      #expect(own.contains("PROVISIONAL: best") && own.contains(words))
    }
    try FileManager.default.removeItem(atPath: folder.path + "/audit-best.json")
    try FileManager.default.removeItem(atPath: folder.path + "/audit.json")
    // A training that was made anew is another network, be it after as many steps.
    let before = try card(#"{"verdict": "of before", "withheld": [], "step": \#(step), "weightsDigest": "0"}"#)
    #expect(before.contains("judged another training of this run, with other weights; the published network was not examined"))
    #expect(try card("{}").contains("states no verdict"))
    #expect(inputError { _ = try card(#"{"withheld": "all"}"#) }?.place == "withheld")
    #expect(inputError { _ = try card("[1]") }?.path == folder.path + "/cues.json")
    // The refused ones left the folder of before.
    #expect(try scratch.names("out") == ["m"])
    #expect(String(decoding: try AtomicFile.read(scratch("out/m/README.md")), as: UTF8.self).contains("states no verdict"))
  }

  @Test func aTextOfTermsIsPublishedAsGiven() throws {
    let run = try TinyRun.flip.get(), scratch = Scratch()
    try AtomicFile.write(Data("Take it.\n".utf8), to: scratch("terms"))
    var publication = Publication.plain
    publication.license = try WeightsLicense(identifier: "CC0-1.0", textFile: scratch("terms"))
    let model = try publication.publish(run.folder, as: "m", in: scratch("out"))
    #expect(model.configuration.pretrained.license == "CC0-1.0")
    #expect(String(decoding: try AtomicFile.read(scratch("out/m/LICENSE")), as: UTF8.self) == "Take it.\n")
    #expect(String(decoding: try AtomicFile.read(scratch("out/m/README.md")), as: UTF8.self).contains("\nlicense: cc0-1.0\n"))
    #expect(inputError { _ = try WeightsLicense(identifier: "my own") }?.found == "\"my own\"")
  }
}
