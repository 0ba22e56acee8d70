import Foundation
import Graphs
import Host
import Networks
import Tensors
import Testing

/// A network of its own library with 3 input channels: name here, settings, classes, arrays, trainable numbers, and the head of
/// the SHA-256 over its sorted lines `name extents`.
struct LibraryNetwork: Sendable, CustomTestStringConvertible {
  let name, settings: String, classes, arrays, numbers: Int, digest: String
  init(_ name: String, _ settings: String, _ classes: Int, _ arrays: Int, _ numbers: Int, _ digest: String) {
    (self.name, self.settings, self.classes, self.arrays, self.numbers, self.digest) = (name, settings, classes, arrays, numbers, digest)
  }
  var testDescription: String { "\(name) \(settings)" }

  func backbone() throws -> any Backbone { try NetworksTests.backbone(name, settings) }
}

/// A backbone of the catalogue with some of its settings given as JSON.
func backbone(_ name: String, _ settings: String = "{}") throws -> any Backbone {
  func value<B: Backbone>(_ type: B.Type) throws -> any Backbone {
    try JSONValue.of(B()).overlaid(with: CanonicalJSON.value(JSONValue.self, from: Data(settings.utf8), path: ""), path: "", place: "")
      .decoded(as: B.self, path: "", place: "")
  }
  let type = try #require(BackboneCatalog.named(name), "no backbone \(name)")
  return try value(type)
}

/// Printed by Tests/Peers/check_networks.py --table with torchvision 0.29.2, timm 1.0.31, segmentation_models_pytorch 0.6.0 (and,
/// for CNN-F/M/S and LeNet, from the paper's table and PyTorch's tutorial in plain torch.nn).
let libraryNetworks = [
  LibraryNetwork("lenet5", #"{"inputs": 3}"#, 1000, 10, 146_156, "6b4228abde900e0a"),
  .init("alexnet", #"{"inputs": 3}"#, 1000, 16, 61_100_840, "e7f297254a8a6091"),
  .init("cnn-f", #"{"inputs": 3}"#, 1000, 16, 60_834_536, "753959f00ab1899b"),
  .init("cnn-m", #"{"inputs": 3}"#, 1000, 16, 102_908_520, "e46429c14a796438"),
  .init("cnn-s", #"{"inputs": 3}"#, 1000, 16, 102_908_520, "e46429c14a796438"),
  .init("vgg11", #"{"inputs": 3}"#, 1000, 22, 132_863_336, "7b34c0a0371eac0f"),
  .init("vgg13", #"{"inputs": 3}"#, 1000, 26, 133_047_848, "0511e6312902b7b3"),
  .init("vgg16", #"{"inputs": 3}"#, 1000, 32, 138_357_544, "ecaf0e7c26c17e12"),
  .init("vgg19", #"{"inputs": 3}"#, 1000, 38, 143_667_240, "76f5c402d0ad8b42"),
  .init("vgg11", #"{"batchNorm": true, "inputs": 3}"#, 1000, 54, 132_868_840, "686aec7cf8600ff3"),
  .init("vgg13", #"{"batchNorm": true, "inputs": 3}"#, 1000, 66, 133_053_736, "3f29f2f74044aa86"),
  .init("vgg16", #"{"batchNorm": true, "inputs": 3}"#, 1000, 84, 138_365_992, "cadfea32ace3820c"),
  .init("vgg19", #"{"batchNorm": true, "inputs": 3}"#, 1000, 102, 143_678_248, "5fde0c5053883f77"),
  .init("googlenet", #"{"inputs": 3}"#, 1000, 287, 6_624_904, "de495f6704d22427"),
  .init("googlenet", #"{"auxiliary": true, "inputs": 3}"#, 1000, 305, 13_004_888, "b23d95f3d14298fb"),
  .init("resnet10", #"{"inputs": 3}"#, 1000, 62, 5_418_792, "bb5c9adb7dadea02"),
  .init("resnet18", #"{"inputs": 3}"#, 1000, 102, 11_689_512, "09ce7e9e01846250"),
  .init("resnet34", #"{"inputs": 3}"#, 1000, 182, 21_797_672, "bc79fc43acd9f853"),
  .init("resnet50", #"{"inputs": 3}"#, 1000, 267, 25_557_032, "c67ecaef75aaf0f7"),
  .init("densenet121", #"{"inputs": 3}"#, 1000, 606, 7_978_856, "39811e74a0dfa0c7"),
  .init("mobilenetv1_100", #"{"inputs": 3}"#, 1000, 137, 4_231_976, "b78d0146fa611331"),
  .init("mobilenet_v2", #"{"inputs": 3}"#, 1000, 262, 3_504_872, "9d75a56bf145f32f"),
  .init("unet", #"{"encoder": "resnet18", "inputs": 3}"#, 1, 152, 14_328_209, "36f3fce40ba0848b"),
  .init("unet", #"{"encoder": "resnet34", "inputs": 3}"#, 1, 232, 24_436_369, "f1caef6a0be44fc2"),
  .init("unet", #"{"encoder": "resnet50", "inputs": 3}"#, 1, 317, 32_521_105, "bc5b7ebf61d9ce06"),
]

/// The smallest picture that `backbone` admits and that is not below 32 pixels.
func usualSide(_ backbone: any Backbone) -> Int {
  let admitted = backbone.admittedSides
  return (32...).first { admitted.contains($0) }!
}

@Test(arguments: libraryNetworks) func aNetworkHasItsLibrarysNamesShapesAndCount(_ library: LibraryNetwork) throws {
  let backbone = try library.backbone(), side = usualSide(backbone)
  let builder = GraphBuilder(), scope = Scope(builder, mode: .training)
  _ = backbone.prediction(of: builder.input("image", [2, 3, side, side]), classes: library.classes, in: scope)
  let lines = scope.parameters.map { "\($0.path) \($0.value.shape.extents.map(String.init).joined(separator: ","))" }.sorted()
  #expect(lines.count == library.arrays)
  #expect(scope.parameters.filter { $0.role == .trainable }.reduce(0) { $0 + $1.value.shape.count } == library.numbers)
  #expect(Checksum.sha256(Data(lines.map { $0 + "\n" }.joined().utf8)).hasPrefix(library.digest), "\(lines)")
}

@Test func everyFileOfTheFolderIsInTheCatalogue() throws {
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/Networks/Backbones").path
  let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0 != "Catalog.swift" }
  let listed = BackboneCatalog.all.map { "\($0).swift" }
  #expect(Set(listed) == Set(files) && listed.count == files.count)
  #expect(Set(BackboneCatalog.all.map { $0.name }).count == listed.count)
  // None is missing from the peers' table.
  #expect(Set(BackboneCatalog.all.map { $0.name }) == Set(libraryNetworks.map(\.name)))
}

@Test(arguments: libraryNetworks) func aGreyPictureIsSeenAsOftenAsThereAreInputs(_ library: LibraryNetwork) throws {
  var backbone = try library.backbone()
  let side = usualSide(backbone)
  for inputs in [1, 3] {
    backbone.inputs = inputs
    let builder = GraphBuilder(), scope = Scope(builder, mode: .inference)
    let encoding = backbone.encoding(of: builder.input("image", [2, 1, side, side]), in: scope)
    #expect(scope.parameters[0].value.shape[1] == inputs)
    #expect(encoding.stages.count > 1 && encoding.stages.allSatisfy { $0.shape[0] == 2 })
    #expect(encoding.codewords.map(\.name) == backbone.codewordNames)
    #expect(encoding.codewords.allSatisfy { $0.value.shape.rank == 2 })
  }
}

@Test func fullyConnectedCodewordsAreThoseOfThePapers() throws {
  for name in ["alexnet", "cnn-f", "cnn-m", "cnn-s", "vgg11", "vgg16"] {
    let backbone = try backbone(name), builder = GraphBuilder(), scope = Scope(builder, mode: .inference)
    let encoding = backbone.encoding(of: builder.input("image", [2, 1, 64, 64]), in: scope)
    #expect(backbone.codewordNames == ["pooled", "fc6", "fc7"])
    #expect(encoding.codeword(named: "fc6")?.shape == [2, 4096] && encoding.codeword.shape == [2, 4096])
    #expect(encoding.codeword(named: "fc8") == nil)
    let slim = try NetworksTests.backbone(name, #"{"fullyConnected": false}"#), other = GraphBuilder()
    let few = slim.encoding(of: other.input("image", [2, 1, 64, 64]), in: Scope(other, mode: .inference))
    #expect(slim.codewordNames == ["pooled"] && few.codewords.count == 1 && few.codeword.shape == [2, encoding.stages.last!.shape[1]])
  }
}
