import Foundation
import Host
import Publishing
import Tensors
import TestSupport
import Testing
import Training

/// A published folder to damage.
final class Specimen {
  let scratch: Scratch
  let folder: String

  init(_ run: Result<TinyRun, any Error>) throws {
    scratch = Scratch()
    folder = scratch("tiny")
    try Publication.plain.publish(run.get().folder, as: "tiny", in: scratch.path)
  }

  func path(_ file: ModelFile) -> String { folder + "/" + file.rawValue }

  /// Writes a checksum list that fits what lies there now, so that only the deeper checks can object.
  func seal() throws {
    let lines = try ModelFile.allCases.map(\.rawValue).sorted().map { "\(try Checksum.sha256(file: folder + "/" + $0))  \($0)\n" }
    try AtomicFile.write(Data(lines.joined().utf8), to: folder + "/SHA256SUMS")
  }

  /// Changes the tensors of a file and seals the folder.
  func edit(_ file: ModelFile, metadata: [String: String] = [:], _ change: (inout [String: SafeTensors.Entry]) throws -> Void) throws {
    var tensors = try SafeTensors.read(path(file)).tensors
    try change(&tensors)
    try SafeTensors.write(tensors.sorted { $0.key < $1.key }.map(\.value), metadata: metadata, to: path(file))
    try seal()
  }

  /// Sets a value in a JSON file, by key path, and seals the folder.
  func set(_ file: ModelFile, _ changes: [(String, JSONValue)]) throws {
    var value = try CanonicalJSON.value(JSONValue.self, from: AtomicFile.read(path(file)), path: "")
    for (place, new) in changes { value = setting(value, place.split(separator: ".").map(String.init)[...], new) }
    try AtomicFile.write(CanonicalJSON.data(value), to: path(file))
    try seal()
  }

  private func setting(_ value: JSONValue, _ place: ArraySlice<String>, _ new: JSONValue) -> JSONValue {
    guard let key = place.first, case .object(var fields) = value else { return new }
    fields[key] = setting(fields[key] ?? .object([:]), place.dropFirst(), new)
    return .object(fields)
  }

  func refusal(sourceLocation: SourceLocation = #_sourceLocation) -> InputError? {
    inputError(sourceLocation: sourceLocation) { _ = try PublishedModel(reading: folder) }
  }
}

extension SafeTensors.Entry {
  fileprivate var floats: [Float] {
    (0..<shape.count).map { i in
      Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[4 * i + $1]) << UInt32(8 * $1) })
    }
  }
  fileprivate func replacing(_ change: (inout [Float]) -> Void) -> SafeTensors.Entry {
    var values = floats
    change(&values)
    return SafeTensors.Entry(name: name, Tensor(shape, values))
  }
}

@Suite struct DamageTests {
  @Test func everyFlippedByteIsRefusedByTheNameOfItsFile() throws {
    let specimen = try Specimen(TinyRun.flip)
    for name in ModelFile.allCases.map(\.rawValue) + ["SHA256SUMS"] {
      let path = specimen.folder + "/" + name, whole = try AtomicFile.read(path)
      for place in Set([0, 1, whole.count / 3, whole.count / 2, whole.count - 2, whole.count - 1]) {
        for bit: UInt8 in [1, 0x20] {
          var damaged = whole
          damaged[place] ^= bit
          try AtomicFile.write(damaged, to: path)
          let error = specimen.refusal()
          // A changed digest or name in the list is reported by the list or for the file that it speaks of.
          #expect(error?.path == path || (name == "SHA256SUMS" && error?.expected.hasPrefix("SHA-256") == true), "\(name), byte \(place)")
        }
      }
      try AtomicFile.write(whole.dropLast(), to: path)
      #expect(specimen.refusal() != nil)
      try FileManager.default.removeItem(atPath: path)
      let missing = specimen.refusal()
      #expect(missing?.kind == .missing && missing?.path == path)
      try AtomicFile.write(whole, to: path)
    }
    try PublishedModel(reading: specimen.folder).verify()
    try AtomicFile.write(Data(), to: specimen.folder + "/pytorch_model.bin")
    #expect(specimen.refusal()?.found.contains("pytorch_model.bin") == true)
  }

  @Test func damagedTensorsAreRefusedByName() throws {
    func refusal(_ file: ModelFile, _ change: (inout [String: SafeTensors.Entry]) throws -> Void) throws -> InputError? {
      let specimen = try Specimen(TinyRun.flip)
      try specimen.edit(file, change)
      let error = specimen.refusal()
      #expect(error?.path == specimen.path(file))
      return error
    }
    #expect(try refusal(.trunk) { $0["layer1.0.conv1.weight"] = nil }?.found == "1 missing: layer1.0.conv1.weight [4×4×3×3]")
    #expect(try refusal(.trunk) { $0["fc.bias"] = .init(name: "fc.bias", Tensor<Float>([2], [0, 0])) }?.found == "1 extra: fc.bias [2]")
    #expect(try refusal(.trunk) { $0["conv1.weight"] = .init(name: "conv1.weight", Tensor([4, 1, 49, 1], $0["conv1.weight"]!.floats)) }?
      .found == "1 of another shape: conv1.weight [4×1×49×1] instead of [4×1×7×7]")
    #expect(try refusal(.trunk) { $0["bn1.bias"] = $0["bn1.bias"]!.replacing { $0[2] = .nan } }?.place == "bn1.bias, element 2")
    #expect(try refusal(.trunk) { $0["bn1.bias"] = $0["bn1.bias"]!.replacing { $0[0] = .infinity } }?.place == "bn1.bias, element 0")
    #expect(try refusal(.trunk) { $0["bn1.running_var"] = $0["bn1.running_var"]!.replacing { $0[3] = -1 } }?.place == "bn1.running_var, element 3")
    #expect(try refusal(.trunk) { $0["bn1.bias"] = .init(name: "bn1.bias", Tensor<Int64>([4], [0, 0, 0, 0])) }?.found == "I64")
    let counter = "layer2.0.downsample.1.num_batches_tracked"
    #expect(try refusal(.trunk) { $0[counter] = .init(name: counter, Tensor<Int64>([], [7])) }?.place == counter)
    #expect(try refusal(.head) { $0["head.weight"] = nil }?.found == "1 missing: head.weight [1×32]")
    #expect(try refusal(.head) { $0["head.bias"] = .init(name: "head.bias", Tensor<Float>([1], [0])) }?.found == "1 extra: head.bias [1]")
    #expect(try refusal(.reference) { $0["stage.3"] = nil }?.found == "1 missing: stage.3 [8×16]")
    for name in ["input", "codeword", "stage.2", "logits"] {
      let error = try refusal(.reference) { $0[name] = $0[name]!.replacing { $0[1] += 0.01 * $0.map(abs).max()! } }
      #expect(error?.place == "\(name), element 1")
    }
    #expect(try refusal(.reference) { $0["codeword"] = $0["codeword"]!.replacing { $0[5] = .nan } }?.place == "codeword, element 5")
  }

  @Test func aNetworkThatComputesSomethingElseIsRefused() throws {
    let trunk = try Specimen(TinyRun.flip)
    try trunk.edit(.trunk) { $0["layer4.0.conv2.weight"] = $0["layer4.0.conv2.weight"]!.replacing { $0 = $0.map { $0 * 1.01 } } }
    #expect(trunk.refusal()?.path == trunk.path(.reference))
    #expect(trunk.refusal()?.place.hasPrefix("codeword") == true)
    let head = try Specimen(TinyRun.flip)
    try head.edit(.head) { $0["head.weight"] = $0["head.weight"]!.replacing { $0 = $0.map { $0 * 1.01 } } }
    #expect(head.refusal()?.place.hasPrefix("logits") == true)
    let dead = try Specimen(TinyRun.flip)
    try dead.edit(.trunk) { tensors in
      for name in tensors.keys where tensors[name]!.dtype == .f32 && name.contains("layer4") && !name.contains("running") {
        tensors[name] = tensors[name]!.replacing { $0 = $0.map { _ in 0 } }
      }
    }
    try dead.edit(.reference) { tensors in
      for name in ["codeword", "stage.4", "logits"] { tensors[name] = tensors[name]!.replacing { $0 = $0.map { _ in 0 } } }
    }
    #expect(dead.refusal()?.found.contains("dead network") == true)
    let note = try Specimen(TinyRun.flip)
    try note.edit(.trunk, metadata: ["note": "x"]) { _ in }
    #expect(note.refusal()?.place == "__metadata__")
  }

  @Test(arguments: [
    ("psimagenet.scaling.mean", JSONValue.number(0.25), "pretrained_cfg.mean"),
    ("pretrained_cfg.std", .array([.number(2)]), "pretrained_cfg.std"),
    ("pretrained_cfg.extra", .integer(1), "pretrained_cfg.extra"),
    ("psimagenet.extra", .integer(1), "psimagenet.extra"),
    ("num_features", .integer(64), "num_features"),
    ("architecture", .string("resnet18"), "architecture"),
    ("psimagenet.format", .string("x"), "psimagenet.format"),
    ("psimagenet.side", .integer(0), "psimagenet.side"),
    ("psimagenet.side", .integer(-33), "psimagenet.side"),
    ("psimagenet.side", .integer(.max), "psimagenet.side"),
    ("psimagenet.side", .string("33"), "psimagenet.side"),
    ("psimagenet.step", .integer(-1), "psimagenet.step"),
    ("psimagenet.scaling.deviation", .integer(0), "psimagenet.scaling.deviation"),
    ("psimagenet.scaling.minimumWeight", .integer(2), "psimagenet.scaling.minimumWeight"),
    ("psimagenet.classes", .array([]), "psimagenet.classes"),
    ("psimagenet.classes", .array([.string("a"), .string("b")]), "psimagenet.classes"),
    ("psimagenet.classes", .array([.string("a"), .string("a")]), "psimagenet.classes"),
    ("psimagenet.backbone.name", .string("resnet99"), "backbone.name"),
    ("psimagenet.backbone.settings.width", .integer(0), "backbone.settings.width"),
    ("psimagenet.backbone.settings.width", .integer(-4), "psimagenet.backbone.settings"),
    ("psimagenet.backbone.settings.width", .integer(1 << 60), "psimagenet.backbone.settings"),
    ("psimagenet.backbone.settings.depth", .integer(1), "backbone.settings.depth"),
    ("psimagenet.task.settings.grid", .integer(1), "task.settings.grid"),
    ("psimagenet.task.settings.antisymmetric", .string("no"), "task.settings.antisymmetric"),
    ("psimagenet.sources", .array([.null]), "psimagenet.sources.[0]"),
  ])
  func aConfigurationThatCannotBeIsRefusedByItsKey(_ place: String, _ value: JSONValue, _ named: String) throws {
    let specimen = try Specimen(TinyRun.flip)
    try specimen.set(.configuration, [(place, value)])
    let error = specimen.refusal()
    #expect(error?.path == specimen.path(.configuration))
    #expect(error?.place == named)
  }

  @Test func filesThatContradictEachOtherAreRefused() throws {
    func refusal(_ changes: [(ModelFile, [(String, JSONValue)])], run: Result<TinyRun, any Error> = TinyRun.flip) throws -> InputError? {
      let specimen = try Specimen(run)
      for (file, edits) in changes { try specimen.set(file, edits) }
      return specimen.refusal()
    }
    // Scaling changed everywhere it stands: only the stored input can tell.
    let scaling = try refusal([(.configuration, [("psimagenet.scaling.mean", .number(0.25)), ("pretrained_cfg.mean", .array([.number(0.25)]))])])
    #expect(scaling?.place.hasPrefix("input, element") == true)
    // Another width, with all that follows from it.
    let width = try refusal([
      (.configuration, [
        ("psimagenet.backbone.settings.width", .integer(8)), ("num_features", .integer(64)),
      ]), (.recipe, [("backbone.settings.width", .integer(8))]), (.provenance, [("recipe.backbone.settings.width", .integer(8))]),
    ])
    #expect(width?.found.contains("conv1.weight [4×1×7×7] instead of [8×1×7×7]") == true)
    // Another side for fully connected layers.
    let side = try refusal(
      [(.configuration, [
        ("psimagenet.side", .integer(41)), ("pretrained_cfg.input_size", .array([.integer(1), .integer(41), .integer(41)])),
      ])], run: TinyRun.kinds)
    #expect(side?.found.contains("fc1.weight") == true)
    #expect(try refusal([(.recipe, [("seed", .integer(5))])])?.place == "recipe")
    #expect(try refusal([(.recipe, [("unknown", .integer(5))])])?.place == "unknown")
    #expect(try refusal([(.provenance, [("checkpoint.step", .integer(9))])])?.place == "checkpoint.step")
    #expect(try refusal([(.provenance, [("corpus.sources", .array([]))])])?.place == "corpus.sources")
  }

  /// Whatever the bytes, reading ends with a model or with an error that names a file; nothing traps.
  @Test(arguments: [ModelFile.configuration, .recipe, .provenance, .trunk, .head, .reference])
  func sealedRandomDamageNeverEndsTheProcess(_ file: ModelFile) throws {
    let specimen = try Specimen(file == .head ? TinyRun.kinds : TinyRun.flip), whole = try AtomicFile.read(specimen.path(file))
    var random = Philox(seed: 23).keyed(file.rawValue), refused = 0
    for _ in 0..<40 {
      var damaged = whole
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        // Headers and JSON, where a byte changes what is read next.
        let place = Int.random(in: 0..<min(damaged.count, 3000), using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: damaged[place] = UInt8.random(in: 0...255, using: &random)
        case 1: damaged[place] = UInt8(ascii: "9")
        case 2: damaged.remove(at: damaged.startIndex + place)
        default: damaged.insert(UInt8.random(in: 32...126, using: &random), at: damaged.startIndex + place)
        }
      }
      try AtomicFile.write(damaged, to: specimen.path(file))
      try specimen.seal()
      do { _ = try PublishedModel(reading: specimen.folder) } catch let error as InputError {
        refused += 1
        #expect(error.path.hasPrefix(specimen.folder), "\(error)")
      }
    }
    #expect(refused > 20)
  }
}
