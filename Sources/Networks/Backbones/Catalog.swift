/// Every backbone by name. One line per file of this folder.
public enum BackboneCatalog {
  public static let all: [any Backbone.Type] = [
    LeNet5.self,
    AlexNet.self,
    CNNF.self,
    CNNM.self,
    CNNS.self,
    VGG11.self,
    VGG13.self,
    VGG16.self,
    VGG19.self,
    GoogLeNet.self,
    ResNet10.self,
    ResNet18.self,
    ResNet34.self,
    ResNet50.self,
    DenseNet121.self,
    MobileNetV1.self,
    MobileNetV2.self,
    UNet.self,
  ]

  public static func named(_ name: String) -> (any Backbone.Type)? { all.first { $0.name == name } }
}
