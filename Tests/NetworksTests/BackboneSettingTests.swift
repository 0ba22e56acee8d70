import Graphs
import Networks
import Tensors
import Testing

@Test(arguments: BackboneCatalog.all.map { $0.name })
func aPictureThatANetworkDoesNotAdmitIsRefusedByName(_ name: String) throws {
  let backbone = try backbone(name), admitted = backbone.admittedSides
  try backbone.validate(height: admitted.smallest, width: admitted.smallest)
  let builder = GraphBuilder(), scope = Scope(builder, mode: .inference)
  let stages = backbone.stages(builder.input("image", [1, 1, admitted.smallest, admitted.smallest]), in: scope)
  #expect(stages.allSatisfy { $0.shape[2] > 0 && $0.shape[3] > 0 })
  let small = admitted.smallest - 1
  for (height, width) in [(small, admitted.smallest), (admitted.smallest, small)] {
    #expect { try backbone.validate(height: height, width: width) } throws: { error in
      guard let error = error as? SettingError else { return false }
      return error.expected == "\(name) admits \(admitted)" && error.found == "\(height)×\(width)"
    }
  }
}

/// The sizes that are refused could indeed not be built.
@Test(arguments: [
  ("lenet5", 15), ("alexnet", 62), ("cnn-f", 54), ("cnn-m", 56), ("cnn-s", 42), ("vgg11", 31), ("densenet121", 28), ("googlenet", 30),
]) func oneByOnePixelLessDoesNotFit(_ name: String, _ side: Int) async throws {
  #expect(try backbone(name).admittedSides.smallest == side + 1)
  await #expect(processExitsWith: .failure) { [name, side] in
    let builder = GraphBuilder()
    _ = try NetworksTests.backbone(name).stages(builder.input("image", [1, 1, side, side]), in: Scope(builder, mode: .inference))
  }
}

@Test(arguments: [(33, 65), (64, 80), (32, 47)]) func uNetAnswersForEveryPixelOfAnySize(_ height: Int, _ width: Int) throws {
  let builder = GraphBuilder(), scope = Scope(builder, mode: .training), unet = UNet()
  try unet.validate(height: height, width: width)
  #expect(unet.prediction(of: builder.input("image", [1, 1, height, width]), classes: 2, in: scope).logits.shape == [1, 2, height, width])
}

@Test func uNetRefusesPicturesThatItCannotHalveFiveTimes() {
  #expect { try UNet().validate(height: 31, width: 64) } throws: {
    ($0 as? SettingError)?.expected == "unet admits sides of at least 32 pixels"
  }
}

@Test func uNetSaysSomethingOfEveryPixel() throws {
  let builder = GraphBuilder(), scope = Scope(builder, mode: .training)
  let prediction = UNet().prediction(of: builder.input("image", [2, 1, 64, 96]), classes: 3, in: scope)
  #expect(prediction.logits.shape == [2, 3, 64, 96] && prediction.encoding.codeword.shape == [2, 512])
  #expect(prediction.loss(builder.input("target", [2, 3, 64, 96])).shape == [])
  // As a backbone of a task about whole pictures it has no decoder.
  let other = GraphBuilder(), trunk = Scope(other, mode: .training)
  _ = UNet().encoding(of: other.input("image", [2, 1, 64, 96]), in: trunk)
  #expect(trunk.parameters.allSatisfy { $0.path.hasPrefix("encoder.") })
}

@Test(arguments: [
  ("resnet18", #"{"width": 0}"#, "width"), ("resnet50", #"{"width": 2000}"#, "width"), ("resnet34", #"{"inputs": 0}"#, "inputs"),
  ("resnet18", #"{"dropPath": 1}"#, "dropPath"), ("vgg16", #"{"hidden": 0}"#, "hidden"), ("vgg19", #"{"dropout": -0.1}"#, "dropout"),
  ("alexnet", #"{"dropout": 1}"#, "dropout"), ("cnn-f", #"{"width": -1}"#, "width"), ("googlenet", #"{"auxiliaryDropout": 2}"#, "auxiliaryDropout"),
  ("densenet121", #"{"growth": 0}"#, "growth"), ("mobilenetv1_100", #"{"width": 0}"#, "width"), ("mobilenet_v2", #"{"dropout": 1}"#, "dropout"),
  ("unet", #"{"decoderWidth": 0}"#, "decoderWidth"), ("lenet5", #"{"inputs": 65}"#, "inputs"),
]) func anImpossibleSettingIsNamed(_ name: String, _ settings: String, _ key: String) throws {
  let backbone = try backbone(name, settings)
  #expect { try backbone.validate() } throws: { ($0 as? SettingError)?.key == key }
}

@Test func everyBackboneIsValidAsItIs() throws {
  for type in BackboneCatalog.all { try type.init().validate() }
}

@Test func aPictureOfTwoChannelsIsAMistake() async {
  await #expect(processExitsWith: .failure) {
    let builder = GraphBuilder()
    _ = ResNet18().stages(builder.input("image", [1, 2, 32, 32]), in: Scope(builder, mode: .inference))
  }
}

@Test func stochasticDepthAsksForACounterInTrainingAlone() throws {
  for (mode, inputs) in [(Scope.Mode.training, ["counter"]), (.inference, [])] {
    let builder = GraphBuilder(), scope = Scope(builder, mode: mode)
    _ = try backbone("resnet18", #"{"dropPath": 0.2}"#).stages(builder.input("image", [2, 1, 33, 33]), in: scope)
    #expect(Array(scope.inputs.keys) == inputs)
  }
}

/// The loss of a network with side branches is that of its end and 0.3 of each of theirs.
@Test func auxiliaryClassifiersCountThreeTenths() throws {
  let builder = GraphBuilder(), scope = Scope(builder, mode: .training)
  let backbone = try backbone("googlenet", #"{"width": 4, "dropout": 0, "auxiliary": true, "auxiliaryDropout": 0}"#)
  let image = builder.input("image", [2, 1, 31, 31]), target = builder.input("target", [2, 3])
  let prediction = backbone.prediction(of: image, classes: 3, in: scope)
  #expect(prediction.auxiliaryLogits.map(\.shape) == [[2, 3], [2, 3]])
  let parts = ([prediction.logits] + prediction.auxiliaryLogits).map { $0.crossEntropy(target).mean() }
  var random = Philox(seed: 4)
  let weights = scope.initialWeights(seed: 1)
  let found = interpret([prediction.loss(target)] + parts, feeding: [
    (image, Tensor([2, 1, 31, 31], (0..<2 * 961).map { _ in random.normal() })), (target, Tensor([2, 3], [1, 0, 0, 0, 0.5, 0.5])),
  ] + scope.parameters.map { ($0.value, weights[$0.path].map(Double.init)) }).map { $0.elements[0] }
  #expect(abs(found[0] - (found[1] + 0.3 * (found[2] + found[3]))) < 1e-12)
}
