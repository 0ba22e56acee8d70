import Foundation
import Tensors
import Testing
import Training

private let folder = ProcessInfo.processInfo.environment["PSIMAGENET_PEER_FOLDER"]
private let theirs = folder.map { $0 + "/theirs.safetensors" }

@Test(.enabled(if: folder != nil, "PSIMAGENET_PEER_FOLDER is not set")) func aFileIsExportedForSafetensors() throws {
  let folder = try #require(folder)
  try SafeTensors.write(
    [
      .init(name: "layer1.0.conv1.weight", Tensor<Float>([2, 3, 2, 2], (0..<24).map { Float($0) / 7 })),
      .init(name: "bn1.num_batches_tracked", Tensor<Int64>([], [1 << 40])),
      .init(name: "empty", Tensor<Float>([0, 3], [])),
      .init(name: "a \"quoted\" \\ nämé\n\u{1}", dtype: .u8, shape: [3], bytes: [1, 2, 3]),
    ], to: folder + "/ours.safetensors")
}

@Test(.enabled(if: theirs.map(FileManager.default.fileExists) ?? false, "no file by Tests/Peers/check_safetensors.py"))
func aFileBySafetensorsIsRead() throws {
  let contents = try SafeTensors.read(try #require(theirs))
  #expect(contents.tensors.count == 4 && contents.metadata == ["format": "np", "note": "é\n"])
  #expect(try contents.floats("layer1.0.conv1.weight") == Tensor([2, 3, 2, 2], (0..<24).map { Float($0) / 7 }))
  #expect(try contents.integers("bn1.num_batches_tracked") == Tensor([], [1 << 40]))
  #expect(contents.tensors["a \"quoted\" \\ nämé\n\u{1}"]?.bytes == [1, 2, 3] && contents.tensors["empty"]?.shape == [0, 3])
}
